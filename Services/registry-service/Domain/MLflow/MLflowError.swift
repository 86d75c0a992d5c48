/// Why a request of an MLflow client is not done, in the words that its clients know.
struct MLflowError: Error, Hashable, CustomStringConvertible {
    enum Code: String, Sendable {
        case missing = "RESOURCE_DOES_NOT_EXIST"
        case exists = "RESOURCE_ALREADY_EXISTS"
        case invalid = "INVALID_PARAMETER_VALUE"
        case denied = "PERMISSION_DENIED"
        case unauthenticated = "UNAUTHENTICATED"
        case conflict = "RESOURCE_CONFLICT"
        case notImplemented = "NOT_IMPLEMENTED"
        case unavailable = "TEMPORARILY_UNAVAILABLE"
        case broken = "INTERNAL_ERROR"

        /// Of HTTP, as MLflow's own server answers.
        var status: Int {
            switch self {
            case .missing: 404
            case .exists, .invalid: 400
            case .denied: 403
            case .unauthenticated: 401
            case .conflict: 409
            case .notImplemented: 501
            case .unavailable: 503
            case .broken: 500
            }
        }
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func missing(_ message: String) -> MLflowError { MLflowError(.missing, message) }
    static func exists(_ message: String) -> MLflowError { MLflowError(.exists, message) }
    static func invalid(_ message: String) -> MLflowError { MLflowError(.invalid, message) }
    static func denied(_ message: String) -> MLflowError { MLflowError(.denied, message) }

    static func noModel(_ name: String) -> MLflowError { .missing("Registered Model with name=\(name) not found") }

    static func noVersion(_ name: String, _ version: String) -> MLflowError {
        .missing("Model Version (name=\(name), version=\(version)) not found")
    }

    static func noRun(_ id: String) -> MLflowError { .missing("Run with id=\(id) not found") }

    static func noExperiment(_ id: String) -> MLflowError { .missing("No Experiment with id=\(id) exists") }

    static func noLoggedModel(_ id: String) -> MLflowError { .missing("Logged model with ID '\(id)' not found.") }

    var description: String { "\(code.rawValue): \(message)" }
}
