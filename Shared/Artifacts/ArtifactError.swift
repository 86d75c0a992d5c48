import Messages

/// What can be wrong with an artifact or its place, and what to do.
package enum ArtifactError: Error, Sendable, Hashable, CustomStringConvertible {
    case missing(Digest)
    /// The bytes are not those that were stored: a broken disk, or somebody wrote there.
    case corrupted(Digest, path: String)
    /// A link or a name that leaves its folder.
    case leavesFolder(entry: String)
    /// Neither file, folder nor link.
    case unsupported(entry: String)
    case destinationNotEmpty(String)
    case tar(String)
    case file(path: String, problem: String)
    /// What a bucket, or the way to it, would not do.
    case bucket(String, String)
    /// Where the artifacts are is not said as it should be.
    case settings(String)

    package var description: String {
        switch self {
        case .missing(let digest): "artifact \(digest) is not in the store"
        case .corrupted(let digest, let path):
            "artifact \(digest) is damaged: the bytes of \(path) have another digest; "
                + "store it again, or restore it from a backup"
        case .leavesFolder(let entry): "'\(entry)' leads out of its folder; artifacts only hold what is inside"
        case .unsupported(let entry): "'\(entry)' is neither a file, a folder nor a link"
        case .destinationNotEmpty(let path): "\(path) is not empty; artifacts are extracted into a new folder"
        case .tar(let message): "tar: \(message)"
        case .file(let path, let problem): "\(path): \(problem)"
        case .bucket(let address, let problem): "\(address) \(problem)"
        case .settings(let problem): problem
        }
    }
}
