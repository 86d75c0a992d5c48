import ArgumentParser
import Foundation
import ServiceKit

/// Parses and runs one command line, and gives it one of four exit codes.
enum CommandLineRun {
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    static let unreachable: Int32 = 3

    static func run(_ arguments: [String]) async -> Int32 {
        // Not left to ArgumentParser, which would give it to every command: without its id, 'approve --version 3' would end
        // with the version and 0.
        if arguments == ["--version"] {
            print(MartletVersion.text)
            return 0
        }
        do {
            var command = try MartletCommand.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as Failure {
            Terminal.complain(failure.description)
            return failure.code
        } catch {
            let message = MartletCommand.fullMessage(for: error)
            switch MartletCommand.exitCode(for: error) {
            case .success:
                print(message)
                return 0
            case .validationFailure:
                Terminal.complain(message)
                return usage
            case let code:
                if !message.isEmpty { Terminal.complain(message) }
                return code.rawValue == 0 ? 0 : failed
            }
        }
    }
}

/// Why a command ends without what was asked for, and what to do next.
struct Failure: Error, CustomStringConvertible, Sendable, Hashable {
    var problem: String
    var hint: String?
    var code: Int32

    init(_ problem: String, hint: String? = nil, code: Int32 = CommandLineRun.failed) {
        self.problem = problem
        self.hint = hint
        self.code = code
    }

    static func unreachable(_ problem: String, hint: String) -> Failure {
        Failure(problem, hint: hint, code: CommandLineRun.unreachable)
    }

    var description: String { "Error: \(problem)" + (hint.map { "\n  \($0)" } ?? "") }
}
