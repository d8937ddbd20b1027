"""The words of evaluation reports, in each language that they speak."""

from __future__ import annotations

from collections.abc import Mapping

from zhengling.report.wording import Language, label_text, words
from zhengling.schema import LabelScheme
from zhengling_training.evaluation.breakdown import REST, SEEN, UNSEEN

# Key: Chinese, English.
_WORDS: Mapping[str, tuple[str, str]] = {
    "report": ("评测报告", "Evaluation"),
    # Sections
    "measured": ("测了什么", "What was measured"),
    "summary": ("总览", "Summary"),
    "entities_title": ("实体", "Entities"),
    "boundaries_title": ("句子边界", "Sentence boundaries"),
    "functions_title": ("句子功能", "Sentence functions"),
    "domains_title": ("业务领域", "Service domains"),
    "calibration_title": ("概率是否可信", "Calibration"),
    "thresholds_title": ("阈值与精确率、召回率", "Precision and recall over the threshold"),
    "breakdowns_title": ("分组结果", "Results by part of the data"),
    "speed_title": ("速度与内存", "Speed and memory"),
    "method_title": ("方法", "Method"),
    "errors_title": ("逐篇查看错误", "Errors, bulletin by bulletin"),
    # Heads of tables
    "what": ("项目", "What"),
    "value": ("数值", "Value"),
    "measure": ("指标", "Measure"),
    "interval": ("95% 区间", "95% interval"),
    "label": ("类别", "Label"),
    "p": ("精确率", "Precision"),
    "r": ("召回率", "Recall"),
    "f1": ("F1", "F1"),
    "exact_f1": ("边界 F1", "Exact F1"),
    "partial_f1": ("部分 F1", "Partial F1"),
    "type_f1": ("类别 F1", "Type F1"),
    "macro_f1": ("宏平均 F1", "Macro F1"),
    "gold": ("标注", "Gold"),
    "predicted": ("预测", "Predicted"),
    "micro": ("微平均", "Micro"),
    "macro": ("宏平均", "Macro"),
    "scheme_of_comparison": ("比对方式", "Scheme"),
    "correct": ("正确", "Correct"),
    "incorrect": ("错误", "Incorrect"),
    "partial": ("部分", "Partial"),
    "missed": ("漏掉", "Missed"),
    "spurious": ("多出", "Spurious"),
    "head": ("输出", "Head"),
    "answers": ("回答数", "Answers"),
    "ece": ("期望校准误差", "ECE"),
    "threshold": ("建议阈值", "Suggested threshold"),
    "p_at": ("此时精确率", "Precision there"),
    "r_at": ("此时召回率", "Recall there"),
    "f1_at": ("此时 F1", "F1 there"),
    "f1_now": ("当前 F1", "F1 now"),
    "group": ("组", "Group"),
    "bulletins": ("公报", "Bulletins"),
    "entity_kind": ("实体 F1", "Entity F1"),
    "boundary_kind": ("边界 F1", "Boundary F1"),
    "function_kind": ("功能正确率", "Function accuracy"),
    "domain_kind": ("领域 F1", "Domain F1"),
    "sentences": ("句子", "Sentences"),
    "sentences_right": ("领域全对的句子", "Sentences with all domains right"),
    "number_of_domains": ("标注领域数", "Gold domains"),
    "domain_missed": ("漏标的领域", "Missed"),
    "domain_added": ("多标的领域", "Added"),
    "domain_beside": ("同句已标对的领域", "Beside, found right"),
    "out_of": ("同句共现", "Together in gold"),
    "none": ("无", "none"),
    # Facts
    "model": ("模型", "Model"),
    "model_sha256": ("模型 SHA-256", "SHA-256 of the model"),
    "data": ("数据", "Data"),
    "data_sha256": ("数据 SHA-256", "SHA-256 of the data"),
    "size": ("数据量", "Size of the data"),
    "size_said": (
        "{bulletins} 篇公报，{characters} 字，{sentences} 句，{entities} 个实体",
        "{bulletins} bulletins, {characters} characters, {sentences} sentences, {entities} entities",
    ),
    "training": ("训练数据（判断见过与否）", "Training data (for strings seen)"),
    "scheme": ("标签方案", "Label scheme"),
    "scheme_said": (
        "{name}：{entities} 类实体，{functions} 种功能，{domains} 个领域",
        "{name}: {entities} entity labels, {functions} functions, {domains} domains",
    ),
    "command": ("命令", "Command"),
    "date": ("日期", "Date"),
    "machine": ("机器", "Machine"),
    "machine_said": (
        "{processor}，{cores} 核，{memory}，{system}",
        "{processor}, {cores} cores, {memory}, {system}",
    ),
    "versions": ("版本", "Versions"),
    "resampling": ("区间的做法", "Intervals"),
    "resampling_said": (
        "对公报重抽样 {resamples} 次，随机种子 {seed}，{level:.0%} 区间",
        "{resamples} resamples of the bulletins, seed {seed}, {level:.0%} intervals",
    ),
    "unknown_memory": ("内存未知", "memory unknown"),
    # Speed
    "characters": ("字数", "Characters"),
    "seconds": ("用时（秒）", "Seconds by the clock"),
    "cpu_seconds": ("CPU 用时（秒）", "CPU seconds"),
    "per_second": ("每秒字数", "Characters per second"),
    "per_cpu_second": ("每 CPU 秒字数", "Characters per CPU-second"),
    "peak": ("进程内存峰值（MB）", "Peak memory of the process (MB)"),
    "threads": ("网络线程数", "Threads of the network"),
    "default": ("默认", "default"),
    # Pictures
    "picture_summary": ("主要指标及 95% 区间", "Main measures with 95% intervals"),
    "picture_entities": (
        "各类实体的 F1（严格）及 95% 区间",
        "Entity F1 (strict) by label with 95% intervals",
    ),
    "picture_functions": ("句子功能混淆矩阵（句数）", "Confusion of functions (sentences)"),
    "picture_domains": ("业务领域混淆矩阵（句数）", "Confusion of domains (sentences)"),
    "picture_reliability": ("可靠性图：{head}", "Reliability: {head}"),
    "picture_thresholds": (
        "精确率、召回率与阈值：{head}",
        "Precision and recall over the threshold: {head}",
    ),
    "picture_group": ("实体 F1 及 95% 区间：{by}", "Entity F1 with 95% intervals: {by}"),
    "unit_score": ("得分（0–1）", "score (0–1)"),
    "unit_f1": ("F1（0–1）", "F1 (0–1)"),
    "axis_confidence": ("模型给出的概率", "probability given by the model"),
    "axis_right": ("实际正确的比例", "share that is right"),
    "axis_threshold": ("阈值（概率）", "threshold (probability)"),
    "side_gold": ("标注", "gold"),
    "side_predicted": ("预测", "predicted"),
    # Schemes of comparison
    "strict": ("严格：边界和类别都对", "strict: borders and label right"),
    "exact": ("边界：边界对，不论类别", "exact: borders right, whatever the label"),
    "partial_scheme": (
        "部分：边界重叠算一半，不论类别",
        "partial: an overlap counts half, whatever the label",
    ),
    "type": ("类别：有重叠且类别对", "type: spans overlap and the label is right"),
    # Heads
    "entities": ("实体", "Entities"),
    "functions": ("功能", "Functions"),
    "domains": ("领域", "Domains"),
    # Measures
    "entity_f1": ("实体 F1（严格，微平均）", "Entity F1 (strict, micro)"),
    "entity_macro_f1": ("实体 F1（严格，宏平均）", "Entity F1 (strict, macro)"),
    "entity_unlabelled_f1": ("实体边界 F1（不论类别）", "Entity F1, borders only"),
    "entity_partial_f1": ("实体部分 F1（重叠算一半）", "Entity F1, partial"),
    "entity_type_f1": ("实体类别 F1（重叠且类别对）", "Entity F1, type"),
    "sentence_boundary_f1": ("句子边界 F1", "Sentence boundary F1"),
    "function_accuracy": ("功能正确率", "Function accuracy"),
    "function_macro_f1": ("功能宏平均 F1", "Function F1, macro"),
    "domain_micro_f1": ("领域微平均 F1", "Domain F1, micro"),
    "domain_macro_f1": ("领域宏平均 F1", "Domain F1, macro"),
    "ece_entities": ("期望校准误差：实体", "Calibration error: entities"),
    "ece_functions": ("期望校准误差：功能", "Calibration error: functions"),
    "ece_domains": ("期望校准误差：领域", "Calibration error: domains"),
    # Properties
    "register": ("文体", "Register"),
    "source": ("来源", "Source"),
    "year": ("年份", "Year"),
    "sentence_length": ("句长（字）", "Length of sentence (characters)"),
    "entity_length": ("实体长度（字）", "Length of entity (characters)"),
    "seen": ("训练数据中是否见过", "String in the training data"),
    f"group_{SEEN}": ("见过", "seen"),
    f"group_{UNSEEN}": ("没见过", "not seen"),
    f"group_{REST}": ("其余", "the rest"),
    "group_": ("未注明", "not given"),
    # Notes
    "note_entities": (
        "严格比对时，起点、终点、类别都对才算对。其余三种比对方式取自 SemEval-2013。"
        "某一类别之下只比对该类别的实体。",
        "Strict: begin, end and label must be right. The other schemes are those of SemEval-2013. "
        "Under a label only entities of that label are compared.",
    ),
    "note_boundaries": (
        "句子的起点和终点都对才算对。",
        "A sentence counts when its begin and its end are right.",
    ),
    "note_functions": (
        "按标注句子计数；与之对应的是覆盖它最多字的预测句子。",
        "Counted over gold sentences, each with the predicted sentence that covers most of it.",
    ),
    "note_domains": (
        "一句可有多个领域。矩阵对角线为标对的句数；其余格为漏标一个领域又多标另一个的句数；"
        "“无”为只漏标或只多标。",
        "A sentence may have several. On the diagonal: found; elsewhere: one missed and another added; "
        "“none”: only missed, or only added.",
    ),
    "note_calibration": (
        "点在虚线上时，概率与实际正确的比例一致；线下为过于自信。下方为各概率区间的回答数。",
        "On the dashed line the probability is the share of right answers; below it the model is too sure. "
        "The columns below show how many answers there are.",
    ),
    "note_thresholds": (
        "低于阈值的回答不采用。建议阈值使 F1 最高，但它就是在这批数据上选的，换用之前应在别的数据上验证。",
        "Answers below the threshold are left out. The suggested one has the best F1; it was chosen on these "
        "very data, so confirm it on others before use.",
    ),
    "note_breakdowns": (
        "实体按自身的长度或写法归组，句子按自身的长度归组。公报太少的组没有区间。",
        "Entities go by their own length or string, sentences by their own length. Groups of too few "
        "bulletins have no interval.",
    ),
    "note_speed": (
        "一次运行的实测，含第一批的预热，不含模型装载。内存峰值是整个进程的。",
        "One run as it was, its first batch included, loading the model not. The memory is that of the whole "
        "process.",
    ),
    "note_method": (
        "区间由对公报的重抽样得出（BCa，Efron 1987；公报少时按 Hesterberg 2015 放宽）："
        "同一篇中的错误彼此相关，所以重抽的是公报而不是句子。期望校准误差按 15 个等宽区间计算"
        "（Guo 等 2017），其区间偏高，因为重抽样会放大误差。全对的类别，区间缩成一点，并不说明没有误差。"
        "“–”表示没有定义：没有标注，或没有预测。",
        "Intervals come from resampling bulletins (BCa, Efron 1987; expanded for few bulletins, Hesterberg "
        "2015): errors in one bulletin depend on each other, so bulletins are drawn and not sentences. "
        "Calibration errors use 15 bins of equal width (Guo et al. 2017); their intervals lie high, as "
        "resampling adds error. Where all is right the interval is a point, which doesn't mean that there is "
        "no error. “–” means undefined: there is no gold, or no prediction.",
    ),
    # Error browser
    "kind": ("错误种类", "Kind of error"),
    "kind_missed": ("漏掉实体", "missed"),
    "kind_spurious": ("多出实体", "spurious"),
    "kind_span": ("实体边界错", "wrong borders"),
    "kind_label": ("实体类别错", "wrong label"),
    "kind_both": ("边界和类别都错", "borders and label wrong"),
    "kind_boundary": ("句子边界错", "sentence boundary"),
    "kind_function": ("功能错", "function"),
    "kind_domain": ("领域错", "domain"),
    "confidence": ("模型概率不低于", "Probability at least"),
    "sort": ("排序", "Order"),
    "sort_count": ("错误多的在前", "most errors first"),
    "sort_rate": ("每百字错误多的在前", "most errors per 100 characters first"),
    "sort_data": ("数据中的顺序", "as in the data"),
    "shown": ("显示 {shown} / {all} 篇，{errors} 处错误", "{shown} of {all} bulletins, {errors} errors"),
    "side_by_side": ("左为标注，右为预测。", "Gold on the left, predicted on the right."),
    "rows_without": ("无此类错误的 {n} 段未列出，点此显示", "{n} passages without such errors: show"),
    "left_out": (
        "为控制文件大小，错误最少的 {n} 篇未收入。",
        "{n} bulletins with the fewest errors were left out to keep the file small.",
    ),
    "needs_script": ("此部分需要 JavaScript。", "This part needs JavaScript."),
    "nothing_found": ("没有符合条件的错误。", "No error of this kind."),
    "errors": ("错误", "errors"),
    "title_of_gold": ("标注", "Gold"),
    "title_of_predicted": ("预测", "Predicted"),
}


def report_words(language: Language) -> Mapping[str, str]:
    """The words of evaluation reports by key, those of all reports among them.

    Raises:
        ZhenglingError: the reports don't speak the language.
    """
    common = words(language)
    column = 0 if language == "zh" else 1
    return {**common, **{key: said[column] for key, said in _WORDS.items()}}


def label_names(scheme: LabelScheme, *, language: Language) -> dict[str, str]:
    """How labels are written: in Chinese with both their names."""
    names = {}
    for name, label in scheme.labels.items():
        text = label_text(label, language=language)
        names[name] = text if text == name else f"{text} {name}"
    return names
