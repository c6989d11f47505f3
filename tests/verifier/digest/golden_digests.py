"""Digests by `fsverity digest --compact` 1.5 of files that repeat the letter a; the key is the size in bytes."""

from __future__ import annotations

GOLDEN = {
    0: "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95",
    1: "bce75948b9e7510293f8f2720412af9697c1479281323f3f220623fb8e94b557",
    4095: "cff490d058f9ad59d0ced3c2dcc9d7b0e6683a88c3d4fc88ce8d222ddaebb912",
    4096: "a2a808ddaced77f0b6b3068f47b14b5a1fb3fc43674993ab11b8e7e6f2d089e2",
    4097: "18b155c0b6e054f3f7d22488ed15340e74dc161ce2d123e13eb685c3ce565f70",
    524288: "35ce0df2a57eb54aeba7969570bac9dfadfac295ec181a03f13ac7a7da54909e",
    524289: "cc4f297494cf9e0b6f159db6d30a62d3fcc219fc9c0cbc2d8792bd264da4d9cb",
}
