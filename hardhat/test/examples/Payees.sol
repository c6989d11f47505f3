// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {PullPayments} from "../../../contracts/examples/PullPayments.sol";

/// @dev A creditor that makes a call while it is paid.
contract Payee {
    bytes private _next;
    address private _target;
    bool public succeeded;

    /// @dev Sets the call to make while being paid. If that call fails, its error is passed on.
    function plan(address target, bytes calldata next) external {
        (_target, _next) = (target, next);
    }

    function act(address target, uint256 value, bytes calldata data) external returns (bytes memory) {
        return _call(target, value, data);
    }

    receive() external payable {
        if (_target == address(0)) return;
        _call(_target, 0, _next);
        succeeded = true;
    }

    function _call(address target, uint256 value, bytes memory data) private returns (bytes memory) {
        (bool success, bytes memory answer) = target.call{value: value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return answer;
    }
}

/// @dev A creditor that cannot receive money.
contract Unpayable {
    function withdraw(PullPayments from, address payable to) external {
        from.withdraw(to);
    }
}
