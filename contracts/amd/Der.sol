// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Pieces of DER (X.690) in certificates and lists
 * @notice Each value has one accepted encoding. The caller answers for the position: what is read begins in the
 * calldata of `der`, and for {utcTime} ends in it.
 */
library Der {
    /// @dev Thrown when there is no such value; `offset` is where it was looked for.
    error DerMalformed(uint256 offset);

    uint256 internal constant TIME_BYTES = 15;
    uint256 private constant UNSIGNED_MAX_BYTES = 21;

    // One byte for each digit of a time: 12 of them.
    uint256 private constant HIGH_HALVES = 0xf0f0f0f0f0f0f0f0f0f0f0f0;
    uint256 private constant LOW_HALVES = 0x0f0f0f0f0f0f0f0f0f0f0f0f;
    uint256 private constant ZEROS = 0x303030303030303030303030;
    uint256 private constant SIXES = 0x060606060606060606060606;
    uint256 private constant ONES_DIGITS = 0x000f000f000f000f000f000f;
    /// @dev Days of the months beyond 28, two bits a month, January's at bit 2. February has 28 here.
    uint256 private constant DAYS_BEYOND_28 = 0x3bbeecc;
    /// @dev What {_daysTo} returns for 1970-01-01.
    uint256 private constant EPOCH_DAYS = 719484;

    /// @dev Returns the 32 bytes at a position.
    function word(bytes calldata der, uint256 offset) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(der.offset, offset))
        }
    }

    /// @dev Reads tag and length of a value, in the shortest form, of at most 65,535 bytes that end at `limit` or
    /// before. Returns where the content begins and ends.
    function open(bytes calldata der, uint256 offset, uint256 tag, uint256 limit)
        internal
        pure
        returns (uint256 begin, uint256 end)
    {
        unchecked {
            uint256 head = word(der, offset);
            uint256 length = uint8(head >> 240);
            uint256 least = 0;
            begin = offset + 2;
            if (length == 0x81) (length, least, begin) = (uint8(head >> 232), 0x80, offset + 3);
            else if (length == 0x82) (length, least, begin) = (uint16(head >> 224), 0x100, offset + 4);
            else if (length > 0x7f) revert DerMalformed(offset);
            end = begin + length;
            if (head >> 248 != tag || length < least || end > limit) revert DerMalformed(offset);
        }
    }

    /// @dev Reads an INTEGER that is not negative, in its shortest form, of at most 21 bytes that end at `limit` or
    /// before. Returns it, and where it ends.
    function unsigned(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (uint256 value, uint256 end)
    {
        unchecked {
            (offset, end) = open(der, offset, 0x02, limit);
            uint256 length = end - offset;
            value = word(der, offset);
            bool isShortest = length == 1 || value >> 247 != 0;
            bool isUnsigned = length != 0 && length <= UNSIGNED_MAX_BYTES && value >> 255 == 0;
            if (!isShortest || !isUnsigned) revert DerMalformed(offset);
            value >>= 256 - 8 * length;
        }
    }

    /// @dev Reads a UTCTime of 15 bytes, YYMMDDHHMMSSZ from 1950 to 2049 (RFC 5280, section 4.1.2.5.1). Returns seconds
    /// since 1970-01-01; 0 for a time before.
    function utcTime(bytes calldata der, uint256 offset) internal pure returns (uint256) {
        unchecked {
            uint256 text = word(der, offset) >> 136;
            uint256 digits = uint96(text >> 8);
            // A byte is a digit if its high half is 3, before and after adding 6.
            bool isTime = text >> 104 == 0x170d && uint8(text) == 0x5a && (digits & HIGH_HALVES) == ZEROS
                && ((digits + SIXES) & HIGH_HALVES) == ZEROS;
            if (!isTime) revert DerMalformed(offset);
            // Six numbers of 16 bits: year, month, day, hour, minute, second.
            digits &= LOW_HALVES;
            uint256 numbers = (digits >> 8 & ONES_DIGITS) * 10 + (digits & ONES_DIGITS);
            uint256 hour = uint16(numbers >> 32);
            uint256 minute = uint16(numbers >> 16);
            uint256 second = uint16(numbers);
            if (hour > 23 || minute > 59 || second > 59) revert DerMalformed(offset);
            uint256 year = uint16(numbers >> 80);
            year += year < 50 ? 2000 : 1900;
            uint256 days_ = _daysTo(year, uint16(numbers >> 64), uint16(numbers >> 48), offset);
            return year < 1970 ? 0 : (days_ - EPOCH_DAYS) * 86400 + hour * 3600 + minute * 60 + second;
        }
    }

    /// @dev Returns the days from a fixed day to a day of 1950 to 2049, in which every fourth year is a leap year.
    /// The months count from March, so that a leap day is the last of its year.
    function _daysTo(uint256 year, uint256 month, uint256 day, uint256 offset) private pure returns (uint256) {
        unchecked {
            if (month == 0 || month > 12) revert DerMalformed(offset);
            uint256 last = 28 + (DAYS_BEYOND_28 >> month * 2 & 3);
            if (month == 2 && year % 4 == 0) last = 29;
            if (day == 0 || day > last) revert DerMalformed(offset);
            (month, year) = month < 3 ? (month + 9, year - 1) : (month - 3, year);
            return 365 * year + year / 4 + (153 * month + 2) / 5 + day;
        }
    }
}
