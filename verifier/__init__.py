"""Judge where an AI model came from: evidence, manifest, files, record.

The package reads and judges. It holds no service, no key and writes to no chain. Importing it loads neither
web3 nor any GPU library; see `verifier.appraisal` for the judgement as one readable function.
"""
