"""Models on the Hugging Face Hub for a user: evidence and record first, then the files, then every byte once more."""
