"""Real language models, draft and target, decoded side by side. Needs the extra ``llm`` (torch and transformers)."""
