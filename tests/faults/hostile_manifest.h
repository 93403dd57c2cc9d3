#pragma once

#include <filesystem>
#include <random>
#include <string>

namespace negatron::testing {

/// Gives the manifest of a snapshot the sizes and digests that its files have now, so that readers go beyond them.
/// Local.
void renew_digests(const std::filesystem::path& snapshot);

/// Replaces a manifest by one that lies, or that is hardly one, with a digest that is right. Local.
void make_hostile_manifest(const std::filesystem::path& snapshot, std::mt19937& random);

/// The text with the digest that its first line should have.
std::string with_right_digest(std::string text);

}  // namespace negatron::testing
