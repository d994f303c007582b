"""Makes test/golden/translation/bleu.json with sacreBLEU: BLEU, chrF2 and chrF2++ of single sentences and of corpora, made of
made-up captions (shuffled, cut, changed) and of lines with the signs, white space and digits that have rules of their own. Run with
sacrebleu 2.6.0 (pip install sacrebleu==2.6.0): python test/golden/make_bleu.py
"""

import json
import pathlib
import random

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

VERSION = "2.6.0"
FILE = pathlib.Path(__file__).parent / "translation" / "bleu.json"

# Hypothesis, then references.
ODD = [
    ("It costs 3.50 or 1,000.75.", "It costs 3,50 or 1.000,75."),
    ("at 5 p.m. in the U.S.A., e.g. 5.", "at 5 p.m., in the U.S. e.g. 5 ."),
    ("1990-2000 and -5 and 3-year-old", "1990 - 2000 and - 5 and 3 -year-old"),
    ("a-b -- c... d?! (e) [f] {g} <h>", "a - b - - c . . . d ? ! ( e ) [ f ] { g } < h >"),
    ("&quot;quoted&quot; &amp;lt; &lt;b&gt; &amp;amp; R&D", '"quoted" < <b> & R&D &QUOT;'),
    ("a <skipped> word <SKIPPED> here", "a word here"),
    ("a line-\nbreak and another\nline -\n", "a linebreak and another line"),
    ("ends in breaks\n-\n\n", "ends in breaks -"),
    ("tab\tand\u00a0no-break\u3000wide\u2003em\x1cfile\x85next\u202fnarrow", "tab and no-break wide em file next narrow"),
    ("\ufeffmark at\ufeffthe start", "mark at the start"),
    ("zero\u200bwidth\u200d joiners", "zero width joiners"),
    ("\x0b\x0c vertical \x1d\x1e\x1f", "vertical"),
    ("Ein Mädchen, groß; 'süß' – „Äpfel“!", "ein mädchen , GROSS ; 'süß' - \"äpfel\" !"),
    ("İSTANBUL ΟΔΥΣΣΕΥΣ ΣΑΣ. Ǆ ẞ ſ K", "i̇stanbul οδυσσευς σας. ǆ ß s k"),
    ("smile 😀, 👨‍👩‍👧 and 🇩🇪.", "smile 😀 , 👨‍👩‍👧 and 🇩🇪 ."),
    ("😀.5 😀,😀 5.😀", "😀 .5 😀 , 😀 5 . 😀"),
    ("𝒜𝒷 𝒜", "𝒜𝒷 𝒜 𝒜"),
    ("e\u0301te\u0301, été", "été , e\u0301te\u0301"),
    ("他在骑自行车。", "他 在 骑 自行车 。"),
    ("٣.٥ ３．５ ५,५ ²,³", "٣ . ٥ ３ ． ５ ५ , ५ ² , ³"),
    ("$5.00 100% #tag @user x=y*z+1 ~ ^ ` | \\ _", "$ 5.00 100 % # tag @ user x = y * z + 1 ~ ^ ` | \\ _"),
    ("http://x.y/z?a=b&c=d", "http : / / x . y / z ? a = b & c = d"),
    (".5 5. ,5 5, .,. ,.5.,", ". 5 5 . , 5 5 , . , . , . 5 . ,"),
    ("5.a a.5 5,b b,5 5-a a-5 5--5", "5 . a a . 5 5 , b b , 5 5 - a a - 5 5 - - 5"),
    ("don't 'tis dogs' o'clock", "don 't ' tis dogs ' o ' clock"),
    ("(hi) hi) (hi ((hi)) ) !!", "( hi ) hi ) ( hi ( ( hi ) ) ) ! !"),
    ("\"a\" 'a' a. .a a.. ..a -a- _", "\" a \" ' a ' a . . a a . . . . a - a - _"),
    ("a", "a"),
    ("a", "b"),
    ("a", "A"),
    (".", "."),
    ("a b", "a b"),
    ("a b c", "a b d"),
    ("word", "two words"),
    ("the the the the the the the", "the cat is on the mat", "there is a cat on the mat"),
    ("a a a a", "a a", "a a a a a a"),
    ("one two three four", "one two three", "one two three four five", "four three two one"),
    ("one two three four", "one two", "one two three four five six"),
    ("", "something"),
    ("", ""),
    ("something", ""),
    (" \t ", "something"),
    ("", "", "something"),
    ("something else", "", "something"),
    ("constructor __proto__ toString valueOf", "toString constructor hasOwnProperty __proto__"),
    ("  spaces   at  both   ends  ", "spaces at both ends"),
    ("loooooooooooooooooooooooooong " * 12, "loooooooooooooooooooooooooong " * 9),
]

SMOOTHINGS = [("exp", None), ("floor", None), ("add-k", None), ("none", None), ("floor", 0.125), ("add-k", 0.5)]


# Parts of captions, one of each in a row.
PARTS = {
    "en": (
        ("A man", "Two women", "The old dog", "Three children in red shirts", "Someone", "A bride's mother", "5 cyclists"),
        ("holds", "is looking at", "runs past", "has painted", "carries", "doesn't see", "sells"),
        ("a guitar", "an ice-cold drink", "some 20-foot poles", "the blue-and-white boat", "a cake, a knife and plates", "it"),
        ("in the rain", "on a crowded street", "at 7:30 a.m.", "near the U.S. embassy", "while others watch", "by the sea"),
        (".", ".", ".", "", " !", ", too.", "; it is cold."),
    ),
    "de": (
        ("Ein Mann", "Zwei Frauen", "Der alte Hund", "Drei Kinder in roten Hemden", "Jemand", "Die Großmutter", "5 Radfahrer"),
        ("hält", "betrachtet", "läuft vorbei an", "bemalt", "trägt", "übersieht", "verkauft"),
        ("eine Gitarre", "ein eiskaltes Getränk", "1,5 Meter lange Stäbe", "das blau-weiße Boot", "Kuchen, Messer und Teller"),
        ("im Regen", "auf einer vollen Straße", "um 7:30 Uhr", "nahe der U.S.-Botschaft", "während andere zusehen", "am Meer"),
        (".", ".", ".", "", " !", ", auch.", "; es ist kühl."),
    ),
}


def captions(draw, language):
    """400 lines, a few of them two captions long."""
    one = lambda: " ".join(draw.choice(part) for part in PARTS[language][:4]) + draw.choice(PARTS[language][4])
    return [" ".join(one() for _ in range(draw.choice((1, 1, 1, 2)))) for _ in range(400)]


class Cases:
    """Lines are held once; a case has their numbers."""

    def __init__(self):
        self.lines, self.numbers, self.cases = [], {}, []

    def number(self, line):
        if line not in self.numbers:
            self.numbers[line] = len(self.lines)
            self.lines.append(line)
        return self.numbers[line]

    def add(self, hypotheses, references, sentence, **options):
        """One case; the options that are not given go round by the number of the case."""
        i = len(self.cases)
        method, value = options.get("smooth", SMOOTHINGS[i % len(SMOOTHINGS)])
        tokenize, lowercase = options.get("tokenize", ("13a", "13a", "13a", "none")[i // 5 % 4]), i // 3 % 2 == 1
        effective = options.get("effective", sentence if i % 7 else not sentence)
        bleu = BLEU(tokenize=tokenize, lowercase=lowercase, smooth_method=method, smooth_value=value, effective_order=effective)
        measures = [bleu, CHRF(lowercase=lowercase), CHRF(lowercase=lowercase, word_order=2)]
        if sentence:
            scores = [one.sentence_score(hypotheses[0], [lines[0] for lines in references]) for one in measures]
        else:
            scores = [one.corpus_score(hypotheses, references) for one in measures]
        texts = [score.format(signature=str(one.get_signature())) for score, one in zip(scores, measures)]
        found = scores[0]
        case = {
            "hypotheses": [self.number(line) for line in hypotheses],
            "references": [[self.number(line) for line in lines] for lines in references],
            "sentence": sentence,
            "options": {"tokenize": tokenize, "lowercase": lowercase, "smoothing": method, "effectiveOrder": effective},
            "score": round(found.score, 9),
            "precisions": [round(share, 9) for share in found.precisions],
            "brevityPenalty": round(found.bp, 9),
            "lengths": [found.sys_len, found.ref_len],
            "chrf": [round(score.score, 9) for score in scores[1:]],
            # The version stands at the end of each signature, and is ours there.
            "texts": [text.replace(f"|version:{VERSION}", "") for text in texts],
        }
        if value is not None:
            case["options"]["smoothingValue"] = value
        self.cases.append(case)


def changed(draw, line, other):
    """A sentence as a poor translation of itself."""
    words = line.split(" ")
    for _ in range(draw.randint(0, 4)):
        at = draw.randrange(len(words))
        kind = draw.randrange(8)
        if kind == 0 and len(words) > 1:
            del words[at]
        elif kind == 1:
            words.insert(at, words[at])
        elif kind == 2:
            words[at] = draw.choice(other.split(" "))
        elif kind == 3:
            words[at] = words[at].upper()
        elif kind == 4:
            words[at] += draw.choice([",", ".", "!", "...", "-", "'s", "%", ")"])
        elif kind == 5:
            words = words[at:] + words[:at]
        elif kind == 6:
            words = words[: max(1, at)]
        else:
            draw.shuffle(words)
    return " ".join(words)


def main():
    assert sacrebleu.__version__ == VERSION, f"expected sacrebleu {VERSION}, got {sacrebleu.__version__}"
    draw = random.Random(26)
    cases = Cases()
    for hypothesis, *references in ODD:
        for smooth, tokenize in ((SMOOTHINGS[0], "13a"), (draw.choice(SMOOTHINGS), "none")):
            cases.add([hypothesis], [[line] for line in references], True, smooth=smooth, tokenize=tokenize)
    sentences = {language: captions(draw, language) for language in ("en", "de")}
    for i in range(120):
        lines = sentences["de" if i % 4 == 0 else "en"]
        line, other = draw.sample(lines, 2)
        count = (1, 1, 1, 2, 3)[i % 5]
        references = [line] + [changed(draw, line, other) for _ in range(count - 1)]
        cases.add([changed(draw, line, other)], [[one] for one in references], True)
    for i in range(40):
        start, size, count = draw.randrange(100), (2, 3, 8, 30)[i % 4], (1, 1, 2, 4)[i // 4 % 4]
        lines = sentences["de" if i % 5 == 0 else "en"][start : start + size]
        others = draw.sample(lines, len(lines))
        hypotheses = [changed(draw, *pair) for pair in zip(lines, others)]
        if i % 6 == 0:
            hypotheses[draw.randrange(size)] = ""
        if i % 8 == 7:
            hypotheses = others
        poorer = [[changed(draw, *pair) for pair in zip(lines, others)] for _ in range(count - 1)]
        cases.add(hypotheses, [lines] + poorer, False)
    odd = [row for row in ODD if len(row) == 2]
    cases.add([row[0] for row in odd], [[row[1] for row in odd]], False)
    cases.add(["", ""], [["one", "two words"]], False)
    cases.add(["one", "no"], [["two", "three words"]], False)
    FILE.parent.mkdir(exist_ok=True)
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases.cases)
    FILE.write_text(f'{{"lines":{json.dumps(cases.lines, separators=(",", ":"))},\n"cases":[\n{rows}\n]}}\n')
    print(len(cases.cases), "cases,", len(cases.lines), "lines,", FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
