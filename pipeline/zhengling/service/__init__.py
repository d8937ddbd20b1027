"""The service: REST, a page to paste into, metrics. Needs the extra ``service``."""
