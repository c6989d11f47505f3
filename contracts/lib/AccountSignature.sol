// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/**
 * @title Signatures of accounts, with or without code
 * @notice Does the same as OpenZeppelin's SignatureChecker, which does not compile for the `paris` fork.
 */
library AccountSignature {
    function isValid(address account, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        // An account with code can still sign with its own key (EIP-7702).
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == account) return true;
        if (account.code.length == 0) return false;
        (bool success, bytes memory answer) =
            account.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return success && answer.length == 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }
}
