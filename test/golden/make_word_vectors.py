"""Makes test/golden/word-vectors.json with gensim: vectors of made-up words in the two formats of word2vec as gensim writes them, and what it
answers of them; and of made-up counts, how often words stay and how often they are negatives. Run with gensim 4.4.0 (pip install gensim==4.4.0):
python test/golden/make_word_vectors.py
"""

import base64
import json
import pathlib
import random
import tempfile

import gensim
import numpy as np
from gensim.models import KeyedVectors, Word2Vec

VERSION = "4.4.0"
FILE = pathlib.Path(__file__).parent / "word-vectors.json"
WORDS = 60
DIMENSION = 8


def vectors():
    draw = np.random.default_rng(1)
    words = [f"{'Wort' if i % 7 == 0 else 'word'}{i}" for i in range(WORDS - 2)] + ["größer", "日本"]
    found = KeyedVectors(DIMENSION)
    found.add_vectors(words, (draw.standard_normal((WORDS, DIMENSION)) + 0.4).astype(np.float32))
    return found


def written(found, binary):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "vectors"
        found.save_word2vec_format(str(path), binary=binary)
        return base64.b64encode(path.read_bytes()).decode()


def asked(found):
    draw = random.Random(2)
    words = found.index_to_key
    for method in ("cosine", "3CosMul"):
        for _ in range(12):
            positive = draw.sample(words, draw.choice([1, 2, 3]))
            negative = draw.sample(words, draw.choice([0, 1, 2]))
            answer = found.most_similar if method == "cosine" else found.most_similar_cosmul
            # Its 3CosMul takes a limit and looks at all words.
            limit = draw.choice([None, 30]) if method == "cosine" else None
            answers = answer(positive=positive, negative=negative, topn=4, restrict_vocab=limit)
            yield {
                "method": method,
                "positive": positive,
                "negative": negative,
                "limit": limit,
                "answers": [[word, float(score)] for word, score in answers],
            }


def evaluated(found):
    """Questions of which some have the right answer, and pairs with scores of few values, so that there are ties."""
    draw = random.Random(3)
    words = found.index_to_key
    lines, pairs = [], []
    for section in ("capital", "gram1-adverb"):
        lines.append(f": {section}")
        for _ in range(40):
            a, b, c = draw.sample(words, 3)
            best = found.most_similar(positive=[b, c], negative=[a], topn=2)
            d = draw.choice([best[0][0], best[0][0].upper(), best[1][0], "nowhere"])
            lines.append(" ".join((a, b, c, d)))
    for _ in range(50):
        a, b = draw.sample(words, 2)
        pairs.append("\t".join((a, draw.choice([b, b, b.upper(), "nowhere"]), str(draw.randint(0, 5)))))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "list"
        path.write_text("\n".join(lines) + "\n", encoding="utf8")
        analogies = []
        for limit in (30, 1000):
            _, sections = found.evaluate_word_analogies(str(path), restrict_vocab=limit)
            analogies.append([limit, [[s["section"], len(s["correct"]), len(s["incorrect"])] for s in sections[:-1]]])
        path.write_text("\n".join(pairs) + "\n", encoding="utf8")
        pearson, spearman, unknown = found.evaluate_word_pairs(str(path))
    return {
        "questions": "\n".join(lines) + "\n",
        "analogies": analogies,
        "pairs": "\n".join(pairs) + "\n",
        "pearson": float(pearson[0]),
        "spearman": float(spearman[0]),
        "unknown": float(unknown),
    }


def sampled():
    """How often words stay, and the borders of the distribution of negatives, both as whole numbers."""
    counts = {f"w{i}": max(1, int(50_000 / (i + 1) ** 1.1)) for i in range(50)}
    model = Word2Vec(sample=1e-3, min_count=1, sorted_vocab=1)
    model.build_vocab_from_freq(counts)
    words = model.wv.index_to_key
    return {
        "counts": [counts[word] for word in words],
        "stay": [int(model.wv.get_vecattr(word, "sample_int")) for word in words],
        "negatives": [int(border) for border in model.cum_table],
    }


def main():
    assert gensim.__version__ == VERSION, gensim.__version__
    found = vectors()
    odd = [random.Random(seed).sample(found.index_to_key, 5) for seed in range(8)]
    content = {
        "gensim": VERSION,
        "text": written(found, False),
        "binary": written(found, True),
        "asked": list(asked(found)),
        "odd": [[words, found.doesnt_match(words)] for words in odd],
        **evaluated(found),
        "samples": sampled(),
    }
    FILE.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
