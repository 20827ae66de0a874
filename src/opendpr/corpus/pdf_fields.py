"""What is written on a PDF page beside its own text: the values of form fields, and comments shown as text."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

FIELD_BYTES = 1_000_000
"""Longest value of a field."""


def field_lines(document: PdfDocument, page: PdfPage) -> Iterator[str]:
    """`label: value` for each field that is filled in, and the content of each free text."""
    from pypdfium2 import raw

    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if raw.FPDFAnnot_GetFlags(annotation) & raw.FPDF_ANNOT_FLAG_HIDDEN:
                continue
            if kind == raw.FPDF_ANNOT_FREETEXT:
                yield written(partial(raw.FPDFAnnot_GetStringValue, annotation, b"Contents"))
            elif kind == raw.FPDF_ANNOT_WIDGET and document.formenv:
                yield field_line(document.formenv, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def field_line(form: object, annotation: object) -> str:
    """One field as a line; nothing for one that is empty, not ticked, or a button."""
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    ticked = kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
    if kind == raw.FPDF_FORMFIELD_PUSHBUTTON or (ticked and not raw.FPDFAnnot_IsChecked(form, annotation)):
        return ""
    value = written(partial(raw.FPDFAnnot_GetFormFieldValue, form, annotation))
    label = written(partial(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation))
    label = label or written(partial(raw.FPDFAnnot_GetFormFieldName, form, annotation))
    return f"{label}: {value}" if label and value else value


def written(get: Callable[[Any, int], int]) -> str:
    """A string of PDFium, which first says how long it is, in bytes of UTF-16 with the NUL at its end."""
    size = min(get(None, 0), FIELD_BYTES)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    get(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\0").replace("\r\n", "\n").replace("\r", "\n")
