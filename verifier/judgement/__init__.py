"""Judge one release: read it, appraise its evidence, compare its files, write the verdict, compare it with a record.

Input is a folder, a policy and a moment. Output is a `Judgement`, or an exception. The package imports every other
package of `verifier` except `registry` and `cli`.
"""
