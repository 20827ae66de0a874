"""Characters of Word's symbol fonts as Unicode: Symbol (Adobe's encoding), and some signs of Wingdings."""

from __future__ import annotations

import re

PRIVATE = re.compile("[\uf020-\uf0ff]")
"""Where Word puts the characters of a symbol font."""
_SYMBOL_ROWS = {
    0x20: " !∀#∃%&∋()∗+,−./0123456789:;<=>?",
    0x40: "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_",
    0x61: "αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
    0xA0: "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵",
    0xC0: "ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓",
    0xE0: "◊〈®©™∑",
    0xF1: "〉∫",
}
SYMBOL = {first + place: sign for first, row in _SYMBOL_ROWS.items() for place, sign in enumerate(row)}
_WINGDINGS_LIST = "4A☺ 4C☹ 6C● 6E■ 6F□ 71❑ A8◻ D8➢ DF← E0→ E1↑ E2↓ E8➔ F0⇨ FB✗ FC✓ FD☒ FE☑"
WINGDINGS = {int(entry[:2], 16): entry[2] for entry in _WINGDINGS_LIST.split()}


def symbol(code: str, font: str) -> str:
    """The sign of a symbol font with a hexadecimal code; U+FFFD if it is not known."""
    if not re.fullmatch(r"[0-9A-Fa-f]{1,4}", code):
        return ""
    point = int(code, 16)
    if not (point < 0x100 or 0xF000 <= point <= 0xF0FF):
        return chr(point)
    return (WINGDINGS if font.lower().startswith("wingdings") else SYMBOL).get(point & 0xFF, "\ufffd")


def symbols(text: str, font: str) -> str:
    """Text of a symbol font; of other fonts only its private characters, which are most often Symbol's."""
    if font.lower() == "symbol" or font.lower().startswith("wingdings"):
        return "".join(symbol(f"{ord(character):x}", font) if character != " " else " " for character in text)
    return PRIVATE.sub(lambda private: symbol(f"{ord(private[0]):x}", "Symbol"), text)
