import CProcess

/// File systems of other machines: their locks do not hold between hosts, and shared memory is none (bus.md 7).
package enum NetworkFileSystem {
    /// The name of the kind that `statfs` calls by this number; `nil` for every other.
    static func name(ofType type: Int) -> String? {
        // From linux/magic.h.
        switch type & 0xFFFF_FFFF {
        case 0x6969: "NFS"
        case 0x517B, 0xFF53_4D42, 0xFE53_4D42: "SMB"
        case 0x5346_414F: "AFS"
        default: nil
        }
    }

    /// The number of its kind, as `statfs` has it.
    package static func number(of folder: String) -> Int { cprocess_file_system(folder) }

    /// The name of the kind that this folder lies on; `nil` for a local one.
    package static func name(of folder: String) -> String? { name(ofType: number(of: folder)) }

    /// - Parameter number: how to know the kind that a folder lies on.
    /// - Throws: `StoreError` where a database in this folder could be damaged by two replicas.
    package static func refuse(_ folder: String, number: (String) -> Int = NetworkFileSystem.number(of:)) throws {
        guard let name = name(ofType: number(folder)) else { return }
        throw StoreError(
            path: folder, problem: "lies on \(name), where locks do not hold between machines",
            hint: "put the data folder, or the container's volume, on a local disk")
    }
}
