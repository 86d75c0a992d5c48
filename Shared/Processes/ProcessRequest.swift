import CProcess
import Foundation
import Glibc

/// What to start, and how.
package struct ProcessRequest: Sendable {
    /// The program, by path or by a name looked up in the PATH of `environment`, and its arguments.
    package var argv: [String]
    /// The whole environment: nothing is inherited.
    package var environment: [String: String]
    package var directory: String
    /// Appended to; `nil` is `/dev/null`.
    package var output: String?
    /// `nil`: together with `output`, in the order of writing.
    package var errors: String?
    /// Where its exit code is to be left for a successor of ours; `nil` where nobody will ask after our death.
    package var exitRecord: ExitRecord?

    package init(
        argv: [String], environment: [String: String], directory: String, output: String? = nil,
        errors: String? = nil, exitRecord: ExitRecord? = nil
    ) {
        self.argv = argv
        self.environment = environment
        self.directory = directory
        self.output = output
        self.errors = errors
        self.exitRecord = exitRecord
    }
}

extension ProcessRequest {
    /// Its process, in a session of its own: the caller's to watch and to reap.
    func start() throws(ProcessError) -> pid_t {
        guard let name = argv.first else {
            throw .notStarted(program: "", directory: directory, reason: "the command is empty")
        }
        func failure(_ reason: String) -> ProcessError {
            .notStarted(program: name, directory: directory, reason: reason)
        }
        guard let program = Self.find(name, path: environment["PATH"] ?? "", directory: directory) else {
            throw failure("no such program on its PATH")
        }
        guard FileManager.default.fileExists(atPath: directory) else { throw failure("no such directory") }
        let words = exitRecord?.wrapping([program] + argv.dropFirst()) ?? argv
        let path = exitRecord == nil ? program : ExitRecord.shell
        var pid: pid_t = 0
        let error = Self.withCStrings(words) { words in
            Self.withCStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
                cprocess_spawn(&pid, path, words, variables, directory, output ?? "/dev/null", errors)
            }
        }
        guard error == 0 else { throw failure(String(cString: strerror(error))) }
        return pid
    }

    private static func find(_ name: String, path: String, directory: String) -> String? {
        if name.contains("/") {
            let file = name.hasPrefix("/") ? name : directory + "/" + name
            return access(file, X_OK) == 0 ? file : nil
        }
        return path.split(separator: ":").lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("an array with an element has an address") }
            return body(start)
        }
    }
}
