// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Der} from "../../../contracts/amd/Der.sol";
import {P384Scalars} from "../../../contracts/amd/P384Scalars.sol";
import {Pss} from "../../../contracts/amd/Pss.sol";
import {Sha384} from "../../../contracts/amd/Sha384.sol";

/// @dev The libraries of contracts/amd, callable from outside, so that tests can compare each with other programs.
contract Parts {
    /// @dev Returns the digests of messages, 48 bytes each, hashed as one queue.
    function sha384(bytes[] calldata messages) external pure returns (bytes memory digests) {
        _litter();
        uint256 context = Sha384.newContext();
        digests = new bytes(48 * messages.length);
        for (uint256 i = 0; i < messages.length; ++i) {
            uint256 to;
            assembly ("memory-safe") {
                to := add(add(digests, 0x20), mul(i, 48))
            }
            Sha384.hash(context, Sha384.copy(messages[i], 0, messages[i].length), messages[i].length, to);
            // A digest that is waited for is there, whatever else is going on.
            if (i % 3 == 2) Sha384.wait(context, to - 48);
        }
        Sha384.finish(context);
    }

    /// @dev Returns whether a signature of any length holds under the modulus that is a contract's code.
    function pss(address keys, bytes calldata message, bytes calldata signature) external view returns (bool) {
        if (signature.length != Pss.SIGNATURE_BYTES) return false;
        _litter();
        uint256 context = Sha384.newContext();
        uint256 digest = Sha384.newDigest();
        Sha384.hash(context, Sha384.copy(message, 0, message.length), message.length, digest);
        uint256 position;
        assembly ("memory-safe") {
            position := signature.offset
        }
        return Pss.verify(context, keys, 0, position, digest);
    }

    /// @dev Makes a contract whose code is these bytes.
    function put(bytes calldata code) external returns (address made) {
        bytes memory creation = abi.encodePacked(hex"61", uint16(code.length), hex"80600a3d393df3", code);
        assembly ("memory-safe") {
            made := create(0, add(creation, 0x20), mload(creation))
        }
        require(made != address(0));
    }

    function productModN(uint256 h, uint256 l, uint256 g, uint256 k) external view returns (uint256, uint256) {
        return P384Scalars.productModN(_room(0x120), h, l, g, k);
    }

    function inverse(uint256 h, uint256 l, uint256 g, uint256 k) external view returns (uint256, uint256) {
        return P384Scalars.inverse(_room(0x100), h, l, g, k);
    }

    function digits(uint256 high, uint256 low) external pure returns (bytes memory written) {
        written = new bytes(416);
        uint256 offset;
        assembly ("memory-safe") {
            offset := add(written, 0x20)
        }
        P384Scalars.writeDigits(offset, high, low);
    }

    /// @dev Returns the points of the table that the columns of a scalar name, from column 0.
    function columns(uint256 high, uint256 low) external pure returns (uint256[49] memory points) {
        (high, low) = P384Scalars.signs(high, low);
        for (uint256 i = 0; i < 49; ++i) {
            points[i] = P384Scalars.column(high, low, i);
        }
    }

    /// @dev Returns the seconds of UTCTimes of 15 bytes each; 2^256 - 1 for what is none.
    function times(bytes[] calldata encoded) external view returns (uint256[] memory seconds_) {
        seconds_ = new uint256[](encoded.length);
        for (uint256 i = 0; i < encoded.length; ++i) {
            try this.time(encoded[i]) returns (uint256 one) {
                seconds_[i] = one;
            } catch {
                seconds_[i] = type(uint256).max;
            }
        }
    }

    function time(bytes calldata encoded) external pure returns (uint256) {
        return Der.utcTime(encoded, 0);
    }

    /// @dev Fills the memory that is not allocated: the compiler does not promise that it is zero.
    function _litter() private pure {
        assembly ("memory-safe") {
            let start := mload(0x40)
            for { let i := 0 } lt(i, 0x6000) { i := add(i, 0x20) } { mstore(add(start, i), not(0)) }
        }
    }

    function _room(uint256 size) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := mload(0x40)
            mstore(0x40, add(offset, size))
        }
    }
}
