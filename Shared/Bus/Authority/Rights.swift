import Foundation
import Messages

#if canImport(Glibc)
    import Glibc
#endif

/// What a client may say, hear and ask (bus.md 8).
package struct Rights: Sendable, Hashable {
    /// What a line without `rate=` gets: messages a second, and as many requests.
    package static let defaultRate = 1_000
    package static let highestRate = 1_000_000

    package var publish: [TopicPattern]
    /// Prefixes of what may be subscribed to; an empty one is everything.
    package var subscribe: [String]
    package var requests: [RequestRight]
    package var rate: Int

    package init(
        publish: [TopicPattern] = [], subscribe: [String] = [], requests: [RequestRight] = [],
        rate: Int = Rights.defaultRate
    ) {
        self.publish = publish
        self.subscribe = subscribe
        self.requests = requests
        self.rate = rate
    }

    /// The user of a local bus, whom its folder's mode keeps apart from others.
    package static let everything = Rights(
        publish: [TopicPattern(anything: ())], subscribe: [""], requests: [RequestRight(method: "*")], rate: .max)

    package func mayPublish(_ topic: UnsafeRawBufferPointer) -> Bool { publish.contains { $0.covers(topic) } }

    /// Whether it is this client that speaks for a log: sends its heartbeats, says hello for it and answers for it. Only
    /// who may write all of a log does, not who may write some events of it.
    package func speaks(for source: String) -> Bool { publish.contains { $0.speaks(for: source) } }

    package func maySubscribe(to prefix: String) -> Bool {
        // The bus's own heartbeat says nothing but that it is there.
        prefix == "h/\(Source.eventBus)"
            || subscribe.contains { right in
                if prefix.hasPrefix(right) { return true }
                // Without its heartbeats nobody can follow a log.
                guard right.hasPrefix("e/"), prefix.hasPrefix("h/") else { return false }
                return right.dropFirst(2).split(separator: "/").first.map { prefix == "h/\($0)" } ?? false
            }
    }

    /// - Parameter verbs: those that a `session.open` or a `claim` names.
    package func mayAsk(_ method: String, of target: String, verbs: [String]) -> Bool {
        if requests.contains(where: { $0.covers(method, target) }) { return true }
        guard RequestRight.working.contains(method) else { return false }
        let claims = requests.filter { $0.method == "claim" }
        return !claims.isEmpty && verbs.allSatisfy { verb in claims.contains { $0.covers(verb: verb) } }
    }
}

/// `e/<source>/<type>` or `t/<client>/<type>`, where the end may be a `*` for anything.
package struct TopicPattern: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    private let bytes: [UInt8]
    private let isPrefix: Bool

    fileprivate init(anything: Void) {
        description = "*"
        bytes = []
        isPrefix = true
    }

    /// `nil` unless it names the source or client, and its kind: a key speaks for named sources only.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "e" || parts[0] == "t", Source(checking: String(parts[1])) != nil,
            parts[1] != Source.eventBus.name, !parts[2].isEmpty, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
            text.utf8.count <= BusLimits.topicBytes, !text.dropLast().contains("*")
        else { return nil }
        description = text
        isPrefix = text.hasSuffix("*")
        bytes = Array((isPrefix ? text.dropLast() : text[...]).utf8)
    }

    package func covers(_ topic: UnsafeRawBufferPointer) -> Bool {
        guard isPrefix ? topic.count >= bytes.count : topic.count == bytes.count else { return false }
        return bytes.withUnsafeBytes { own in
            guard let first = own.baseAddress, let other = topic.baseAddress else { return own.isEmpty }
            return memcmp(first, other, own.count) == 0
        }
    }

    func speaks(for source: String) -> Bool {
        isPrefix && (bytes.isEmpty || bytes.elementsEqual("e/\(source)/".utf8))
    }
}

/// `fetch`, `fetch:registry-service`, `claim:train/*`, `*`.
package struct RequestRight: Sendable, Hashable, CustomStringConvertible {
    /// What a worker asks: `claim` stands for all of it.
    static let working: Set<String> = [
        "session.open", "session.keepalive", "claim", "checkpoint", "complete", "fail",
    ]

    package var method: String
    /// Of targets; of verbs for `claim`. `nil`: any.
    package var pattern: String?

    package init(method: String, pattern: String? = nil) {
        self.method = method
        self.pattern = pattern
    }

    /// `nil` unless the method is one that can be sent, and the pattern plain.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let method = String(parts[0])
        let plain = method.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || [0x2e, 0x2d, 0x5f].contains($0)
        }
        guard method == "*" && parts.count == 1 || plain && !method.isEmpty && method.utf8.count <= 64 else {
            return nil
        }
        guard parts.count == 2 else {
            self.init(method: method)
            return
        }
        let pattern = String(parts[1])
        guard !pattern.isEmpty, !pattern.dropLast().contains("*"),
            pattern.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.init(method: method, pattern: pattern)
    }

    package var description: String { pattern.map { "\(method):\($0)" } ?? method }

    func covers(_ method: String, _ target: String) -> Bool {
        if self.method == "*" { return true }
        guard self.method == method, method != "claim" else { return false }
        return pattern.map { StepWork.pattern($0, covers: target) } ?? true
    }

    /// Also `acme/*` is covered by `acme/*`: a worker names patterns.
    func covers(verb: String) -> Bool { pattern.map { StepWork.pattern($0, covers: verb) } ?? true }
}
