import Foundation
import Glibc
import Logging
import Messages

/// One line for each thing said: text for a terminal, JSON for everybody else.
///
/// Values of secrets that this process has read are covered, and what it says while it works on a step or an event has
/// the run and the trace of that.
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
    private let secrets: KnownSecrets
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line, with its end.
    package init(label: String, form: Form, write: @escaping @Sendable (String) -> Void = LineLog.standardError) {
        self.init(label: label, form: form, secrets: .shared, write: write)
    }

    init(label: String, form: Form, secrets: KnownSecrets, write: @escaping @Sendable (String) -> Void) {
        self.label = label
        self.form = form
        self.secrets = secrets
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
        let said = secrets.covered(event.message.description)
        write(line(event.level, said, members.mapValues(secrets.covered)) + "\n")
    }

    private func line(_ level: Logger.Level, _ said: String, _ members: [String: String]) -> String {
        let time = Timestamp(Date()).text
        switch form {
        case .text:
            let further = members.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            // One line each, whatever was said: nobody's words may look like a line of ours.
            return "\(time) \(level) \(label): \(said)\(further)".replacing("\n", with: "\\n")
        case .json:
            var object = members.mapValues { JSONValue.string($0) }
            object["time"] = .string(time)
            object["level"] = .string(level.rawValue)
            object["service"] = .string(label)
            object["message"] = .string(said)
            return (try? Wire.encode(JSONValue.object(object))).map { String(decoding: $0, as: UTF8.self) } ?? said
        }
    }

    /// In one piece: lines of several threads do not mix.
    package static let standardError: @Sendable (String) -> Void = { line in
        var line = line
        line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}
