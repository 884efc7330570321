"""Stand in for a server: texts of a target, with the log-probabilities of draft and target along them."""

import json

import numpy as np

from specproof import random_markov_pair

rng = np.random.default_rng(0)
draft, target = random_markov_pair(20, 2, rng, concentration=0.5, stationary=True)

with open("logs.jsonl", "w") as log:
    for number in range(16):
        tokens = [rng.choice(20, p=target.initial)]
        while len(tokens) < 60:
            tokens.append(rng.choice(20, p=target.transitions[tokens[-1]]))
        seen = {}
        for name, model in (("draft", draft), ("target", target)):
            rows = np.vstack([model.initial, model.transitions[tokens[:-1]]])
            seen[name] = np.log(rows[np.arange(60), tokens]).round(5).tolist()
        log.write(json.dumps({"id": f"prompt-{number}", **seen}) + "\n")
