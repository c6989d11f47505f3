// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @dev A wallet that approves one digest with any signature, and answers other digests with `otherwise`.
contract ApprovingWallet {
    bytes32 private _approved;
    bytes4 private immutable _otherwise;

    constructor(bytes4 otherwise) {
        _otherwise = otherwise;
    }

    function approve(bytes32 digest) external {
        _approved = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == _approved ? IERC1271.isValidSignature.selector : _otherwise;
    }
}

/// @dev A wallet that answers every call with the same bytes, or reverts with them.
contract FixedAnswerWallet {
    bytes private _answer;
    bool private immutable _reverts;

    constructor(bytes memory answer, bool reverts) {
        _answer = answer;
        _reverts = reverts;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        bytes memory answer = _answer;
        if (!_reverts) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}

/// @dev A wallet that makes a call of its own when it is asked, and approves only if that call fails.
contract ReenteringWallet {
    address private _target;
    bytes private _call;

    function prepare(address target, bytes calldata data) external {
        _target = target;
        _call = data;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        (bool done,) = _target.call(_call);
        return done ? bytes4(0) : IERC1271.isValidSignature.selector;
    }
}
