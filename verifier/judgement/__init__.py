"""Judge one release: read it, appraise its evidence, compare its files, write the verdict, compare it with a record.

Takes a folder, a policy and a moment. Gives a `Judgement`, or raises. Imports every room but `registry` and `cli`.
"""
