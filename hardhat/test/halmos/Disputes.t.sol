// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Disputes} from "../../../contracts/proofs/Disputes.sol";
import {HardwareProofs} from "../../../contracts/proofs/HardwareProofs.sol";
import {Evidence} from "../../../contracts/proofs/IHardwareProofs.sol";
import {Standing} from "../../../contracts/Types.sol";
import {SVM, VM} from "./Proofs.sol";

/// @dev A registry that keeps anything, and notes whether it is told to revoke or to stop.
contract AnyRegistry {
    address public owner;
    bool public isTold;
    mapping(bytes32 id => bytes32) public contentOf;
    mapping(bytes32 id => Standing) private _standings;

    function forget() external {
        isTold = false;
    }

    function revoke(bytes32, uint40, string calldata) external {
        isTold = true;
    }

    function revokeKey(uint16, uint8, uint40, string calldata) external {
        isTold = true;
    }

    function revokeAllOf(bytes32, string calldata) external {
        isTold = true;
    }

    function pauseWrites() external {
        isTold = true;
    }

    function standingById(bytes32 id) external view returns (Standing memory) {
        return _standings[id];
    }

    function idOf(bytes calldata record) external pure returns (bytes32) {
        return keccak256(record);
    }
}

/// @dev Proofs and a verifier that say anything.
contract AnyProofs {
    AnyProofs public verifier;
    AnyRegistry public registry;
    bool public isSimulated;
    mapping(bytes32 releaseId => uint256) public proofOf;

    function prove(Evidence calldata, bytes calldata) external view returns (bytes32, uint256) {
        return (bytes32(proofOf[0]), proofOf[bytes32(uint256(1))]);
    }
}

/**
 * @dev Nothing but `disprove` and the keeper makes {Disputes} revoke, nothing but `disprove` marks a release as
 * disproved, and only the registry's owner appoints a keeper: for every registry and collection of proofs, every call,
 * caller and state.
 *
 * `disprove` itself is not proven, since halmos cannot compute SHA-256 (0.3.3); hardhat/test/proofs/Disputes.t.sol and
 * tests/contracts/proofs test it.
 * @custom:halmos --loop 5 --default-bytes-lengths 0,65 --default-array-lengths 0,1
 */
contract DisputesProofs {
    AnyRegistry private _registry;
    AnyProofs private _proofs;
    Disputes private _disputes;

    function setUp() public {
        (_registry, _proofs) = (new AnyRegistry(), new AnyProofs());
        _disputes = new Disputes(HardwareProofs(address(_proofs)), address(0), 0);
        SVM.enableSymbolicStorage(address(_registry));
        SVM.enableSymbolicStorage(address(_proofs));
        SVM.enableSymbolicStorage(address(_disputes));
    }

    function check_nothingButADisproofRevokes(address caller, bytes32 releaseId) public {
        VM.assume(address(_disputes.proofs()) == address(_proofs));
        VM.assume(address(_proofs.verifier()) == address(_proofs));
        VM.assume(address(_proofs.registry()) == address(_registry));
        _registry.forget();
        address keeper = _disputes.keeper();
        uint8 reason = _disputes.reasonAgainst(releaseId);
        bytes memory data = SVM.createCalldata("Disputes");
        VM.assume(bytes4(data) != _disputes.disprove.selector);

        VM.prank(caller);
        (bool done,) = address(_disputes).call(data);
        if (!done) return;
        assert(caller == keeper || !_registry.isTold());
        assert(_disputes.reasonAgainst(releaseId) == reason);
        assert(caller == _registry.owner() || _disputes.keeper() == keeper);
    }
}
