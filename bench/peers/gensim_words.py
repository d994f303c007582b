"""python gensim_words.py TEXT OUT TASK: trains vectors once with gensim's compiled code and prints what it took, as JSON."""
import json
import resource
import sys
import time

import gensim
from gensim.models import word2vec

text, out, task = sys.argv[1:]
with open(task) as file:
    wanted = json.load(file)
if word2vec.FAST_VERSION < 0:
    sys.exit("expected gensim's compiled code, got its Python code")
is_tree = wanted["loss"] == "hierarchicalSoftmax"
model = word2vec.Word2Vec(
    vector_size=wanted["dimension"],
    window=wanted["window"],
    min_count=wanted["least"],
    sg=int(wanted["model"] == "skipGram"),
    hs=int(is_tree),
    negative=0 if is_tree else wanted["negatives"],
    sample=wanted["sample"],
    alpha=wanted["rate"],
    min_alpha=wanted["rate"] * 1e-4,
    seed=wanted["seed"],
    workers=wanted["threads"],
    epochs=wanted["epochs"],
)
model.build_vocab(corpus_file=text)
start = time.perf_counter()
model.train(
    corpus_file=text,
    total_examples=model.corpus_count,
    total_words=model.corpus_total_words,
    epochs=model.epochs,
)
seconds = time.perf_counter() - start
model.wv.save_word2vec_format(out, binary=True)
words = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key) * model.epochs
print(json.dumps({
    "name": f"gensim {gensim.__version__}",
    "seconds": seconds,
    "rate": words / seconds,
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "words": len(model.wv),
}))
