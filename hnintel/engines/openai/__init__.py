"""The openai engine: any OpenAI-compatible endpoint (OpenAI, Ollama, vLLM, llama.cpp) answers the AI functions."""

from hnintel.engines.openai.engine import OpenAIEngine

__all__ = ["OpenAIEngine"]
