import Foundation
import Glibc
import Logging
import Messages
import Synchronization

/// One line for each thing said: text for a terminal, JSON for everybody else.
///
/// Values of secrets that this process has read are covered, and what it says while it works a step or an event has that
/// step's run and trace.
package struct LineLog: LogHandler {
    package enum Form: String, Sendable, CaseIterable {
        case text, json

        /// Text where a person reads along.
        package static var natural: Form { isatty(STDERR_FILENO) == 1 ? .text : .json }
    }

    package var logLevel = Logger.Level.info
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let form: Form
    private let write: @Sendable (String) -> Void

    package init(label: String, form: Form, write: @escaping @Sendable (String) -> Void = LineLog.standardError) {
        self.label = label
        self.form = form
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var members = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues(\.description)
        if let error = event.error { members["error"] = "\(error)" }
        if let work = WorkContext.current { members.merge(work.members) { own, _ in own } }
        let time = Timestamp(Date()).text
        let said = KnownSecrets.shared.cover("\(event.message)")
        let covered = members.mapValues(KnownSecrets.shared.cover)
        switch form {
        case .text:
            let further = covered.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            write("\(time) \(event.level) \(label): \(said)\(further)\n")
        case .json:
            var object = covered.mapValues { JSONValue.string($0) }
            object["time"] = .string(time)
            object["level"] = .string(event.level.rawValue)
            object["service"] = .string(label)
            object["message"] = .string(said)
            guard let text = try? Wire.encode(JSONValue.object(object)) else { return }
            write(String(decoding: text, as: UTF8.self) + "\n")
        }
    }

    /// In one piece: lines of several threads do not mix.
    package static let standardError: @Sendable (String) -> Void = { line in
        var line = line
        line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}

/// What is being worked on here, for whatever is said meanwhile.
package enum WorkContext: Sendable {
    case event(Envelope)
    case step(StepWork)

    @TaskLocal package static var current: WorkContext?

    /// Only looked up when something is said.
    var members: [String: String] {
        switch self {
        case .event(let event):
            var members = ["event": event.id]
            members["run"] = event.data["run"]?.string
            members["trace"] = event.traceparent.flatMap(Trace.id)
            return members
        case .step(let work):
            var members = ["run": work.run.id, "step": work.item]
            members["trace"] = work.causation.trace.flatMap(Trace.id)
            return members
        }
    }
}

/// The values of secrets that this process has read, so that nothing it says holds one.
final class KnownSecrets: Sendable {
    static let shared = KnownSecrets()
    /// Shorter ones would cover ordinary words.
    private static let shortest = 6
    private static let most = 1000

    private let values = Mutex<Set<String>>([])

    func note(_ value: String) {
        guard value.utf8.count >= Self.shortest else { return }
        values.withLock { if $0.count < Self.most { $0.insert(value) } }
    }

    func cover(_ text: String) -> String {
        values.withLock { $0 }.sorted { $0.count > $1.count }.reduce(text) { $0.replacing($1, with: "***") }
    }
}
