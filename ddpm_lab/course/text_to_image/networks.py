"""The text encoder and the denoiser of codes, which hears the text by cross-attention."""

import torch
from torch import Tensor, nn

from ddpm_lab.course.text_to_image.captions import LENGTH, VOCABULARY
from ddpm_lab.networks.embeddings import sinusoids


class TextEncoder(nn.Module):
    """Tokens -> one vector for each: an embedding, and a layer in which the words hear each other.

    >>> TextEncoder(dim=8)(torch.ones(3, LENGTH, dtype=torch.int64)).shape
    torch.Size([3, 7, 8])
    """

    def __init__(self, dim: int = 32) -> None:
        super().__init__()
        self.word = nn.Embedding(len(VOCABULARY), dim)
        self.position = nn.Parameter(nn.init.normal_(torch.empty(LENGTH, dim), std=0.1))
        self.attention = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.norm = nn.LayerNorm(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, LENGTH) int64 -> (B, LENGTH, dim)."""
        h = self.word(tokens) + self.position
        heard, _ = self.attention(h, h, h, key_padding_mask=tokens == 0, need_weights=False)
        return self.norm(h + heard)


class CodeDenoiser(nn.Module):
    """(z_t, t, caption) -> v: a residual perceptron for codes with cross-attention to the text.

    In each layer the query comes from the code, the keys and the values from the words.

    >>> net = CodeDenoiser(latents=4, width=16, text=8)
    >>> net(torch.zeros(3, 4), torch.ones(3, dtype=torch.int64)).shape
    torch.Size([3, 4])
    """

    def __init__(self, latents: int = 24, width: int = 128, depth: int = 3, text: int = 32) -> None:
        super().__init__()
        self.time_dim = 64
        self.text = TextEncoder(text)
        self.proj_in = nn.Linear(latents + self.time_dim, width)
        self.hear = nn.ModuleList(
            nn.MultiheadAttention(width, 4, kdim=text, vdim=text, batch_first=True)
            for _ in range(depth)
        )
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(depth)
        )
        self.proj_out = nn.Linear(width, latents)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(self, z_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """(B, latents), (B,), tokens (B, LENGTH) -> (B, latents); None is the empty caption."""
        if label is None:
            label = torch.zeros(len(z_t), LENGTH, dtype=torch.int64, device=z_t.device)
            label[:, 0] = 1
        words, silent = self.text(label), label == 0
        h = self.proj_in(torch.cat([z_t, sinusoids(t, self.time_dim).to(z_t)], dim=1))
        for hear, layer in zip(self.hear, self.layers):
            query = h[:, None]
            heard, _ = hear(query, words, words, key_padding_mask=silent, need_weights=False)
            h = h + layer(h + heard[:, 0])
        return self.proj_out(nn.functional.silu(h))
