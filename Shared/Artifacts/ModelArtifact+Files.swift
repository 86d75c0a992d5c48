import Messages

extension ModelArtifact {
    /// Paths that travel in events: the whole list is in the archive.
    static let mostFiles = 100
    static let mostFileBytes = 8 << 10

    /// Names as many files as events carry, and how many there are where that is not all.
    init(digest: Digest, size: Int64, allFiles: [String]) {
        var bytes = 0
        let named = allFiles.prefix(Self.mostFiles).prefix { path in
            bytes += path.jsonBytes + 3
            return bytes <= Self.mostFileBytes
        }
        self.init(
            digest: digest, size: size, files: Array(named),
            fileCount: named.count < allFiles.count ? allFiles.count : nil)
    }
}
