// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Oracle, Quorum} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Replaces the subcalls of Oasis Sapphire: answers yes if it is asked about one app.
contract Subcall {
    bytes21 internal constant APP = bytes21("the oracle's ROFL app");

    fallback(bytes calldata question) external returns (bytes memory) {
        (string memory method, bytes memory body) = abi.decode(question, (string, bytes));
        bool known = keccak256(bytes(method)) == keccak256("rofl.IsAuthorizedOrigin")
            && keccak256(body) == keccak256(abi.encodePacked(hex"55", APP)); // CBOR: 21 bytes
        return _answer(known);
    }

    function _answer(bool known) internal pure virtual returns (bytes memory) {
        return abi.encode(uint64(0), known ? bytes(hex"f5") : bytes(hex"f4"));
    }
}

contract SubcallThatFails is Subcall {
    function _answer(bool) internal pure override returns (bytes memory) {
        return abi.encode(uint64(1), bytes(hex"f5"));
    }
}

contract SubcallThatIsSilent is Subcall {
    function _answer(bool) internal pure override returns (bytes memory) {
        return "";
    }
}

contract SubcallThatBabbles is Subcall {
    function _answer(bool) internal pure override returns (bytes memory) {
        return abi.encode(uint64(0), bytes(hex"f5"), uint256(0));
    }
}

contract SubcallThatReverts is Subcall {
    function _answer(bool) internal pure override returns (bytes memory) {
        revert("no such method");
    }
}

/// @dev A contract that the app's account was tricked into calling.
contract Middleman {
    function bind(IProvenanceRegistry registry, uint8 index, address key) external {
        registry.bindRoflKey(index, key);
    }
}

/// @dev A ROFL app makes a key of its own the key of an oracle.
abstract contract RoflKeysBehaviour is RegistryBehaviour {
    address private constant SUBCALL = 0x0100000000000000000000000000000000000103;
    bytes21 private constant APP = bytes21("the oracle's ROFL app");
    address private constant APPS_ACCOUNT = address(0xA99);

    /// @dev Oracle 0 waits for its key, oracle 1 has one and can change it, oracle 2 is no app, oracle 3 is another
    /// app.
    function setUp() public override {
        super.setUp();
        Oracle[] memory oracles = _oracles(2, 4);
        oracles[0].key = address(0);
        oracles[0].roflApp = APP;
        oracles[1].roflApp = APP;
        oracles[3].roflApp = bytes21("another ROFL app");
        _rotate(oracles, 1);
        VM.etch(SUBCALL, type(Subcall).runtimeCode);
    }

    function test_bindsAKey() public {
        VM.expectEmit(address(registry));
        emit IOracleSets.RoflKeyBound(2, 0, APP, _account(64));
        _bind(0, _account(64));
        VM.assertEq(registry.oracleAt(2, 0).key, _account(64), "key");
        bytes memory record = _bytes(_record(1));
        Quorum memory quorum = _signedBy(2, 1, record);
        uint256 next = block.timestamp + 1;
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 0, next, FOR_EVER));
        registry.publish(record, quorum);
        VM.warp(next);
        registry.publish(record, quorum);
    }

    function test_putsAnotherKeyInItsPlace() public {
        _bind(1, _account(99));
        VM.assertEq(registry.oracleAt(2, 1).key, _account(99), "key");
        bytes memory record = _bytes(_record(1));
        Quorum memory quorum = _signedBy(2, 2, record);
        VM.warp(block.timestamp + 1);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.WrongSigner.selector, 1, _account(65), _account(99)));
        registry.publish(record, quorum);
    }

    /// @dev The validity window begins with the key, in the next second.
    function test_changesNothingElse() public {
        Oracle memory wanted = registry.oracleAt(2, 1);
        VM.warp(block.timestamp + 5);
        _bind(1, _account(99));
        (wanted.key, wanted.validFrom) = (_account(99), uint40(block.timestamp + 1));
        VM.assertEq(abi.encode(registry.oracleAt(2, 1)), abi.encode(wanted), "oracle");
    }

    function test_aWindowThatBeginsLaterStays() public {
        Oracle[] memory oracles = _oracles(3, 1);
        (oracles[0].roflApp, oracles[0].validFrom) = (APP, uint40(START + 100 days));
        _rotate(oracles, 1);
        _bind(0, _account(99));
        VM.assertEq(registry.oracleAt(3, 0).validFrom, START + 100 days, "valid from");
    }

    /// @dev Neither the old nor the new key passes for the signer of records that the old one signed.
    function test_signaturesBelongToTheirKeys() public {
        _publishBy(2, _record(1));
        address[] memory oracles = new address[](1);
        oracles[0] = _account(65);
        VM.assertEq(registry.countSigners(_modelDigest(1), _manifestDigest(1), oracles), 1, "before");
        _bind(1, _account(99));
        VM.assertEq(registry.countSigners(_modelDigest(1), _manifestDigest(1), oracles), 0, "the old key");
        oracles[0] = _account(99);
        VM.assertEq(registry.countSigners(_modelDigest(1), _manifestDigest(1), oracles), 0, "the new key");
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "open all the same");
    }

    function test_revokingOneWaitingAppLeavesTheOthers() public {
        Oracle[] memory oracles = _oracles(3, 3);
        (oracles[0].key, oracles[0].roflApp) = (address(0), APP);
        (oracles[2].key, oracles[2].roflApp) = (address(0), APP);
        _rotate(oracles, 1);
        VM.prank(GUARDIAN);
        registry.revokeKey(3, 0, uint40(START), "app broken");
        VM.assertEq(registry.oracleAt(3, 2).validUntil, FOR_EVER, "the other app");
    }

    function test_onlyForApps() public {
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.NotRoflApp.selector, 2));
        _bind(2, _account(99));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.UnknownOracle.selector, 2, 4));
        _bind(4, _account(99));
    }

    function test_notThroughAnotherContract() public {
        Middleman middleman = new Middleman();
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.NotRoflApp.selector, 0));
        VM.prank(APPS_ACCOUNT, APPS_ACCOUNT);
        middleman.bind(registry, 0, _account(99));
    }

    function test_notForAnotherApp() public {
        _unauthorised(3, bytes21("another ROFL app"));
    }

    function test_notWhereThereAreNoApps() public {
        VM.etch(SUBCALL, "");
        _unauthorised(0, APP);
    }

    function test_notOnAnyOtherAnswer() public {
        VM.etch(SUBCALL, type(SubcallThatFails).runtimeCode);
        _unauthorised(0, APP);
        VM.etch(SUBCALL, type(SubcallThatIsSilent).runtimeCode);
        _unauthorised(0, APP);
        VM.etch(SUBCALL, type(SubcallThatBabbles).runtimeCode);
        _unauthorised(0, APP);
        VM.etch(SUBCALL, type(SubcallThatReverts).runtimeCode);
        _unauthorised(0, APP);
    }

    function test_notAKeyThatAnotherHas() public {
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 0));
        _bind(0, _account(66));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 1));
        _bind(1, _account(65));
        _bind(0, _account(64));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 0));
        _bind(0, address(0));
    }

    function test_onlyInTheCurrentEpoch() public {
        _rotate(_oracles(3, 1), 1);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.NotRoflApp.selector, 0));
        _bind(0, _account(64));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.UnknownOracle.selector, 3, 1));
        _bind(1, _account(64));
    }

    /// @dev A revoked oracle does not come back with another key.
    function test_doesNotRevive() public {
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 0, 1, "app broken");
        _bind(0, _account(64));
        VM.assertEq(registry.oracleAt(2, 0).validUntil, 1, "valid until");
        bytes memory record = _bytes(_record(1));
        Quorum memory quorum = _signedBy(2, 1, record);
        uint40 validFrom = registry.oracleAt(2, 0).validFrom;
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 0, validFrom, 1));
        registry.publish(record, quorum);
    }

    function _unauthorised(uint8 index, bytes21 app) private {
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.RoflOriginNotAuthorized.selector, app));
        _bind(index, _account(99));
    }

    function _bind(uint8 index, address key) private {
        VM.prank(APPS_ACCOUNT, APPS_ACCOUNT);
        registry.bindRoflKey(index, key);
    }
}

contract RoflKeysOfSource is RoflKeysBehaviour, FromSource {}

contract RoflKeysOfShipped is RoflKeysBehaviour, FromShipped {}
