// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Proof, Requirements} from "../Types.sol";
import {AccessRequirement, IAccessPredicate, RequirementLogic} from "./IAccessPredicate.sol";
import {ProvenanceGate} from "./ProvenanceGate.sol";

/**
 * @notice Its ERC-165 id, 0x2eb82756, is the `kind` of {ModelPredicate}'s requirement, whose `data` is
 * `abi.encode(address registry, bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade)`.
 */
interface IRecordedModel {
    /// @notice Gives the kind its id. No contract implements it.
    function recordedModel() external;
}

/**
 * @title Access predicate of a tool that serves one model
 * @notice Lets every account use an agent's tool (ERC-8257) as long as the model that the tool serves is recorded and
 * in good standing. Creators who make this the predicate of their tool commit themselves in public: once the record is
 * revoked, the tool is closed, and nobody has to notice. Nothing here can be changed. Another model needs another
 * predicate, which only the tool's creator can put in place.
 *
 * The tool's creator vouches that the tool serves this model. To admit only certain accounts, combine this predicate
 * with one that looks at the account.
 */
contract ModelPredicate is IAccessPredicate, IERC165, ProvenanceGate {
    uint256 private constant PROOF_BYTES = 9 * 32;

    /// @notice The model that the tool serves.
    bytes32 public immutable modelDigest;
    /// @notice The manifest of that model.
    bytes32 public immutable manifestDigest;

    /// @param registry A {IProvenanceRegistry}.
    /// @param grade The grade that the model's record needs, 0 to 2.
    /// @param modelDigest_ See {modelDigest}. It need not be recorded yet: until it is, the tool is closed.
    /// @param manifestDigest_ See {manifestDigest}.
    constructor(address registry, uint8 grade, bytes32 modelDigest_, bytes32 manifestDigest_)
        ProvenanceGate(registry, grade)
    {
        modelDigest = modelDigest_;
        manifestDigest = manifestDigest_;
    }

    /**
     * @inheritdoc IAccessPredicate
     * @dev Neither the tool nor the account matters. Revoked keys of oracles are taken into account at once.
     * @param data Empty, or an ABI-encoded {Proof} if the record is in a batch and not written out. With other data the
     * answer is false.
     */
    function hasAccess(uint256, address, bytes calldata data) external view returns (bool) {
        Requirements memory asked = Requirements(minimumGrade, type(uint40).max, 0, true, new uint32[](0));
        if (data.length == 0) return provenanceRegistry.meets(modelDigest, manifestDigest, asked);
        if (data.length != PROOF_BYTES) return false;
        // The proof has nine words, and every value of a word is valid for its type, so decoding cannot revert.
        Proof memory proof = abi.decode(data, (Proof));
        return provenanceRegistry.meetsFromProof(modelDigest, manifestDigest, proof, asked);
    }

    /// @inheritdoc IAccessPredicate
    function name() external pure returns (string memory) {
        return "ModelPredicate";
    }

    /// @inheritdoc IAccessPredicate
    function getRequirements(uint256)
        external
        view
        returns (AccessRequirement[] memory requirements, RequirementLogic logic)
    {
        requirements = new AccessRequirement[](1);
        requirements[0] = AccessRequirement({
            kind: type(IRecordedModel).interfaceId,
            data: abi.encode(provenanceRegistry, modelDigest, manifestDigest, minimumGrade),
            label: "The tool's model is recorded as trained in a confidential VM"
        });
        return (requirements, RequirementLogic.AND);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IAccessPredicate).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
