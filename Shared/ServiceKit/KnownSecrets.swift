import Synchronization

/// The values of secrets that this process has read, so that nothing it says holds one.
final class KnownSecrets: Sendable {
    static let shared = KnownSecrets()
    static let cover = "***"
    /// Shorter ones would cover ordinary words.
    private static let shortest = 6
    private static let most = 1000

    /// The longest first: one may hold another.
    private let values = Mutex<[String]>([])

    func note(_ value: String) {
        guard value.utf8.count >= Self.shortest else { return }
        values.withLock { values in
            guard values.count < Self.most, !values.contains(value) else { return }
            values.insert(value, at: values.firstIndex { $0.utf8.count < value.utf8.count } ?? values.endIndex)
        }
    }

    func covered(_ text: String) -> String {
        values.withLock { $0 }.reduce(text) { text, value in
            text.contains(value) ? text.replacing(value, with: Self.cover) : text
        }
    }
}
