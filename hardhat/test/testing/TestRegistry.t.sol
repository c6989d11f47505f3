// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {TenLines} from "../../../contracts/examples/TenLines.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Standing} from "../../../contracts/Types.sol";
import {TestRegistry} from "../../../contracts/testing/TestRegistry.sol";
import {Releases} from "../support/Releases.sol";
import {VM} from "../support/Vm.sol";

contract TestRegistryTest is Releases {
    bytes32 private constant MODEL = keccak256("model");
    bytes32 private constant MANIFEST = keccak256("manifest");

    TestRegistry private _registry;

    function setUp() public {
        VM.warp(1_760_000_000);
        _registry = new TestRegistry();
    }

    function test_whatIsPutOpensTheGate() public {
        TenLines dapp = new TenLines(address(_registry));
        bytes32 recordId = _registry.recordIdOf(MODEL, MANIFEST);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId));
        dapp.register(MODEL, MANIFEST);
        VM.assertEq(_registry.put(MODEL, MANIFEST, 1), recordId, "id");
        dapp.register(MODEL, MANIFEST);
        VM.assertEq(dapp.modelOf(address(this)), MODEL, "registered");

        _registry.revoke(recordId, uint40(block.timestamp), "leaked");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, recordId, block.timestamp));
        dapp.register(MODEL, MANIFEST);
    }

    function test_aRecordIsKeptAsAnyOther() public {
        bytes32 recordId = _registry.putRecord(_bytes(_simulated(1)));
        VM.assertTrue(_registry.isSimulatedModel(_modelDigest(1), _manifestDigest(1)), "simulated");
        VM.assertEq(_registry.contentOf(recordId), keccak256(_bytes(_simulated(1))), "content");
        Standing memory standing = _registry.standingById(recordId);
        VM.assertEq(uint256(standing.weight), 1, "weight");
        address[] memory deployer = new address[](1);
        deployer[0] = address(this);
        VM.assertEq(_registry.countSigners(_modelDigest(1), _manifestDigest(1), deployer), 1, "signers");
    }

    function test_theRulesOfPublishingHold() public {
        _registry.put(MODEL, MANIFEST, 1);
        bytes32 recordId = _registry.recordIdOf(MODEL, MANIFEST);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.RecordExists.selector, recordId));
        _registry.put(MODEL, MANIFEST, 2);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.UnknownGrade.selector, 3));
        _registry.put(MODEL, keccak256("another"), 3);
    }
}
