"""The words of the service's page, in each language that it speaks."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "app": "政令 · 公报解读",
        "lead": "粘贴公报全文，或把文件拖到这里：标出人名、机构、时间等，逐句判别部署要求，列出任务清单。",
        "pasted": "粘贴的公报",
        "paste": "公报正文",
        "placeholder": "在此粘贴公报正文，或拖入文件…",
        "file": "选择文件",
        "kinds": ".txt、.md、.html、.docx、.pdf，或其 .zip 压缩包",
        "date_hint": "发布日期（用于推算时限，可不填）",
        "analyse": "解读",
        "working": "正在解读…",
        "done": "解读完成。",
        "again": "清空重来",
        "copy": "复制清单",
        "copied": "已复制。",
        "json": "下载 JSON",
        "excel": "下载 Excel 表",
        "token": "访问令牌",
        "token_hint": "本服务需要访问令牌；填写后再点“解读”。",
        "empty": "还没有正文：请先粘贴文字或选择文件。",
        "failed": "连接不上服务，请确认它仍在运行。",
        "unread": "未能读取",
        "noscript": "本页需要 JavaScript。不用浏览器也可以：zhengling analyze 文件 --output report.html",
        "other": "English",
        "other_code": "en",
        "api": "接口说明",
        "result": "结果",
        "columns": "公报|序号|事项|责任方|来源|时限|截止日期|领域|对象|依据|原句",
        "sentence_columns": "公报|序号|功能|领域|原句",
        "private": "文字只发往本服务，不写入日志，不留存。",
        "error_too_large": "超出限额",
        "error_busy": "服务正忙，请稍后再试",
        "error_late": "处理超时",
        "error_unreadable": "内容无法读取",
        "error_unfit": "内容不合要求",
        "error_unauthorized": "令牌缺失或不对",
    },
    "en": {
        "app": "zhengling · bulletin reader",
        "lead": (
            "Paste a bulletin or drop a file here: names, bodies and dates are marked, "
            "each sentence is told by its function, and directives become a task list."
        ),
        "pasted": "Pasted bulletin",
        "paste": "Text of the bulletin",
        "placeholder": "Paste the text here, or drop a file…",
        "file": "Choose files",
        "kinds": ".txt, .md, .html, .docx, .pdf, or a .zip of these",
        "date_hint": "Date of issue (deadlines are counted from it; may be left out)",
        "analyse": "Analyse",
        "working": "Analysing…",
        "done": "Done.",
        "again": "Clear all",
        "copy": "Copy the table",
        "copied": "Copied.",
        "json": "Download JSON",
        "excel": "Download for Excel",
        "token": "Access token",
        "token_hint": "This service needs an access token; enter it and analyse again.",
        "empty": "There is no text yet: paste one or choose a file.",
        "failed": "The service can't be reached; is it still running?",
        "unread": "Could not be read",
        "noscript": "This page needs JavaScript. Without it: zhengling analyze FILE --output report.html",
        "other": "中文",
        "other_code": "zh",
        "api": "API",
        "result": "Result",
        "columns": "bulletin|no.|action|for|from|by|due date|domains|about|citing|sentence",
        "sentence_columns": "bulletin|no.|function|domains|sentence",
        "private": "Texts go to this service only; they are neither logged nor kept.",
        "error_too_large": "Too large",
        "error_busy": "The service is busy; try again soon",
        "error_late": "It took too long",
        "error_unreadable": "It can't be read",
        "error_unfit": "It isn't what is needed",
        "error_unauthorized": "The token is missing or wrong",
    },
}


def service_words(language: str) -> Mapping[str, str]:
    """The words of a language by key; ``zhengling.report.wording`` has those of the report."""
    return _WORDS[language]
