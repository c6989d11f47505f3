// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {InferenceEscrow} from "../../../contracts/examples/InferenceEscrow.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";
import {Payee} from "./Payees.sol";

contract InferenceEscrowTest is Worlds, FromSource {
    event JobOpened(
        uint256 indexed jobId,
        address indexed client,
        address indexed provider,
        bytes32 modelDigest,
        bytes32 manifestDigest,
        bytes32 requestDigest,
        uint256 payment,
        uint40 deliverBy
    );
    event JobDelivered(uint256 indexed jobId, bytes32 answerDigest, uint40 settleFrom);
    event JobClosed(uint256 indexed jobId, address indexed paid, uint256 payment);

    uint40 private constant WINDOW = 1 days;
    uint40 private constant DELIVER_BY = uint40(START) + 2 hours;
    uint256 private constant PAYMENT = 1 ether;
    address private constant CLIENT = address(0xC11E);
    address private constant PROVIDER = address(0x9120);
    bytes32 private constant REQUEST = keccak256("request");
    bytes32 private constant ANSWER = keccak256("answer");

    InferenceEscrow private escrow;

    function setUp() public override {
        super.setUp();
        escrow = new InferenceEscrow(address(registry), 1, WINDOW);
        VM.deal(CLIENT, 100 ether);
    }

    function test_the_window_has_bounds() public {
        uint40[4] memory windows = [uint40(0), 1 hours - 1, 30 days + 1, type(uint40).max];
        for (uint256 i = 0; i < windows.length; ++i) {
            VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.WindowInvalid.selector, windows[i]));
            new InferenceEscrow(address(registry), 1, windows[i]);
        }
        VM.assertEq(uint256(new InferenceEscrow(address(registry), 1, 1 hours).challengeWindow()), 1 hours, "least");
        VM.assertEq(uint256(new InferenceEscrow(address(registry), 1, 30 days).challengeWindow()), 30 days, "most");
    }

    // Opening

    function test_a_client_pays_for_a_job() public {
        VM.expectEmit(address(escrow));
        emit JobOpened(1, CLIENT, PROVIDER, _modelDigest(GOOD), _manifestDigest(GOOD), REQUEST, PAYMENT, DELIVER_BY);
        VM.assertEq(_open(), 1, "first");
        VM.assertEq(_open(), 2, "second");
        VM.assertEq(escrow.jobs(), 2, "jobs");
        InferenceEscrow.Job memory job = escrow.jobOf(1);
        VM.assertEq(job.client, CLIENT, "client");
        VM.assertEq(job.provider, PROVIDER, "provider");
        VM.assertEq(job.payment, PAYMENT, "payment");
        VM.assertEq(uint256(job.deliverBy), DELIVER_BY, "deadline");
        VM.assertTrue(job.state == InferenceEscrow.State.Open, "state");
        VM.assertEq(address(escrow).balance, 2 * PAYMENT, "balance");
    }

    function test_only_recorded_models_are_paid_for() public {
        for (uint256 kind = 0; kind < SPOILINGS; ++kind) {
            bytes memory reason = _spoiled(2, kind);
            VM.expectRevert(reason);
            VM.prank(CLIENT);
            escrow.open{value: PAYMENT}(PROVIDER, _modelDigest(2), _manifestDigest(2), DELIVER_BY, REQUEST);
            setUp(); // another registry
        }
    }

    function test_a_job_is_complete() public {
        bytes memory incomplete = abi.encodeWithSelector(InferenceEscrow.JobIncomplete.selector);
        VM.expectRevert(incomplete);
        _open(address(0), PAYMENT, DELIVER_BY);
        VM.expectRevert(incomplete);
        _open(PROVIDER, 0, DELIVER_BY);
        VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.TooLate.selector, 1, START));
        _open(PROVIDER, PAYMENT, uint40(START));
    }

    // Delivery

    function test_the_provider_delivers() public {
        _open();
        VM.warp(DELIVER_BY - 1);
        VM.expectEmit(address(escrow));
        emit JobDelivered(1, ANSWER, DELIVER_BY - 1 + WINDOW);
        _deliver();
        VM.assertTrue(escrow.jobOf(1).state == InferenceEscrow.State.Delivered, "state");
        VM.expectRevert(_wrongState(InferenceEscrow.State.Delivered));
        _deliver();
    }

    function test_nobody_else_delivers_and_not_too_late() public {
        _open();
        VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.NotYours.selector, 1, CLIENT));
        VM.prank(CLIENT);
        escrow.deliver(1, ANSWER);
        VM.warp(DELIVER_BY);
        VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.TooLate.selector, 1, DELIVER_BY));
        _deliver();
    }

    // Payment

    function test_the_client_confirms() public {
        _open();
        _deliver();
        VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.NotYours.selector, 1, PROVIDER));
        VM.prank(PROVIDER);
        escrow.confirm(1);
        VM.expectEmit(address(escrow));
        emit JobClosed(1, PROVIDER, PAYMENT);
        VM.prank(CLIENT);
        escrow.confirm(1);
        _requirePaid(PROVIDER);
    }

    function test_a_client_may_pay_before_the_delivery() public {
        _open();
        VM.prank(CLIENT);
        escrow.confirm(1);
        _requirePaid(PROVIDER);
        VM.expectRevert(_wrongState(InferenceEscrow.State.Closed));
        _deliver();
    }

    function test_the_provider_is_paid_after_the_window() public {
        _open();
        VM.expectRevert(_wrongState(InferenceEscrow.State.Open));
        escrow.settle(1);
        _deliver();
        VM.warp(START + WINDOW - 1);
        VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.TooEarly.selector, 1, START + WINDOW));
        escrow.settle(1);
        VM.warp(START + WINDOW);
        escrow.settle(1);
        _requirePaid(PROVIDER);
    }

    function test_the_client_gets_it_back_if_the_record_was_revoked() public {
        _open();
        _deliver();
        _revoke(GOOD);
        VM.warp(START + WINDOW);
        escrow.settle(1);
        _requirePaid(CLIENT);
    }

    function test_the_client_gets_it_back_if_the_keys_were_revoked() public {
        _open();
        _deliver();
        _revokeKey(0);
        registry.recount(_releaseId(GOOD));
        VM.warp(START + WINDOW);
        escrow.settle(1);
        _requirePaid(CLIENT);
    }

    function test_the_client_gets_it_back_if_nothing_came() public {
        _open();
        VM.warp(DELIVER_BY - 1);
        VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.TooEarly.selector, 1, DELIVER_BY));
        escrow.refund(1);
        VM.warp(DELIVER_BY);
        escrow.refund(1);
        _requirePaid(CLIENT);
    }

    function test_a_delivery_in_time_is_not_refunded_by_others() public {
        _open();
        _deliver();
        VM.warp(DELIVER_BY);
        VM.expectRevert(_wrongState(InferenceEscrow.State.Delivered));
        VM.prank(CLIENT);
        escrow.refund(1);
    }

    function test_the_provider_gives_it_back_at_any_time() public {
        _open();
        VM.prank(PROVIDER);
        escrow.refund(1);
        _requirePaid(CLIENT);
        _open();
        VM.startPrank(PROVIDER);
        escrow.deliver(2, ANSWER);
        escrow.refund(2);
        VM.stopPrank();
        VM.assertEq(escrow.creditOf(CLIENT), 2 * PAYMENT, "both");
    }

    function test_a_closed_job_stays_closed() public {
        _open();
        VM.prank(CLIENT);
        escrow.confirm(1);
        bytes memory closed = _wrongState(InferenceEscrow.State.Closed);
        VM.warp(DELIVER_BY + WINDOW);
        VM.expectRevert(closed);
        VM.prank(CLIENT);
        escrow.confirm(1);
        VM.expectRevert(closed);
        escrow.settle(1);
        VM.expectRevert(closed);
        escrow.refund(1);
        VM.expectRevert(closed);
        VM.prank(PROVIDER);
        escrow.refund(1);
    }

    function test_a_job_that_never_was() public {
        bytes memory nothing = abi.encodeWithSelector(InferenceEscrow.NotYours.selector, 1, address(this));
        VM.expectRevert(nothing);
        escrow.deliver(1, ANSWER);
        VM.expectRevert(nothing);
        escrow.confirm(1);
        VM.expectRevert(_wrongState(InferenceEscrow.State.None));
        escrow.settle(1);
        VM.expectRevert(_wrongState(InferenceEscrow.State.None));
        escrow.refund(1);
    }

    /// @dev A provider reenters the same function while it is paid.
    function test_nobody_is_paid_twice_by_coming_back() public {
        Payee attacker = new Payee();
        _open(address(attacker), PAYMENT, DELIVER_BY);
        VM.prank(CLIENT);
        escrow.confirm(1);
        bytes memory withdrawal = abi.encodeCall(escrow.withdraw, (payable(address(attacker))));
        attacker.plan(address(escrow), withdrawal);
        VM.expectRevert(abi.encodeWithSelector(ReentrancyGuard.ReentrancyGuardReentrantCall.selector));
        attacker.act(address(escrow), 0, withdrawal);
        VM.assertEq(escrow.creditOf(address(attacker)), PAYMENT, "nothing happened");
    }

    /// @dev A provider calls every other function that moves money. The job is closed by then.
    function test_nobody_is_paid_twice_through_another_function() public {
        Payee attacker = new Payee();
        VM.deal(address(attacker), PAYMENT);
        attacker.act(
            address(escrow),
            PAYMENT,
            abi.encodeCall(
                escrow.open, (address(attacker), _modelDigest(GOOD), _manifestDigest(GOOD), DELIVER_BY, REQUEST)
            )
        );
        attacker.act(address(escrow), 0, abi.encodeCall(escrow.confirm, (1)));
        bytes[2] memory ways = [abi.encodeCall(escrow.confirm, (1)), abi.encodeCall(escrow.refund, (1))];
        for (uint256 i = 0; i < ways.length; ++i) {
            attacker.plan(address(escrow), ways[i]);
            VM.expectRevert(_wrongState(InferenceEscrow.State.Closed));
            attacker.act(address(escrow), 0, abi.encodeCall(escrow.withdraw, (payable(address(attacker)))));
        }
        VM.assertEq(address(escrow).balance, PAYMENT, "nothing happened");
    }

    /// @dev At any time of settlement and for any state of the record, one side gets all the money.
    function testFuzz_a_settlement_is_whole(uint96 payment, uint32 wait, bool revoked) public {
        VM.assume(payment != 0);
        VM.deal(CLIENT, payment);
        _open(PROVIDER, payment, DELIVER_BY);
        _deliver();
        if (revoked) _revoke(GOOD);
        VM.warp(START + wait);
        bool early = wait < WINDOW;
        if (early) VM.expectRevert(abi.encodeWithSelector(InferenceEscrow.TooEarly.selector, 1, START + WINDOW));
        escrow.settle(1);
        VM.assertEq(escrow.creditOf(PROVIDER), early || revoked ? 0 : payment, "provider");
        VM.assertEq(escrow.creditOf(CLIENT), !early && revoked ? payment : 0, "client");
        VM.assertEq(address(escrow).balance, payment, "balance");
    }

    function _open() private returns (uint256) {
        return _open(PROVIDER, PAYMENT, DELIVER_BY);
    }

    function _open(address provider, uint256 payment, uint40 deliverBy) private returns (uint256) {
        VM.prank(CLIENT);
        return escrow.open{value: payment}(provider, _modelDigest(GOOD), _manifestDigest(GOOD), deliverBy, REQUEST);
    }

    function _deliver() private {
        VM.prank(PROVIDER);
        escrow.deliver(1, ANSWER);
    }

    function _requirePaid(address account) private view {
        VM.assertEq(escrow.creditOf(account), PAYMENT, "credit");
        VM.assertEq(address(escrow).balance, PAYMENT, "balance");
        VM.assertTrue(escrow.jobOf(1).state == InferenceEscrow.State.Closed, "state");
    }

    function _wrongState(InferenceEscrow.State state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(InferenceEscrow.WrongState.selector, 1, state);
    }
}
