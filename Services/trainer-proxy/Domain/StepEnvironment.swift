import Foundation
import Messages

/// The environment variables that a step's process sees.
enum StepEnvironment {
    /// What is handed on of our own environment: the machine's facts, and where packages come from.
    static let inherited: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
        "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE",
        "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
        "PIP_NO_INDEX", "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_CERT", "PIP_TRUSTED_HOST",
    ]

    static func machine(_ own: [String: String]) -> [String: String] {
        var variables = own.filter { inherited.contains($0.key) }
        variables["PATH"] = variables["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        variables["HOME"] = variables["HOME"] ?? "/"
        variables["LANG"] = "C.UTF-8"
        variables["CI"] = "true"
        // Lines are to be readable while the program runs.
        variables["PYTHONUNBUFFERED"] = "1"
        return variables
    }

    static func facts(of work: StepWork) -> [String: String] {
        var variables = [
            "MARTLET": "true", "MARTLET_PROJECT": work.run.project, "MARTLET_PIPELINE": work.run.pipeline,
            "MARTLET_RUN": work.run.id, "MARTLET_RUN_NUMBER": String(work.run.number), "MARTLET_RUN_URL": work.run.url,
            "MARTLET_JOB": work.job, "MARTLET_STEP": work.step, "MARTLET_ATTEMPT": String(work.attempt),
        ]
        if let git = work.run.git {
            variables["MARTLET_SHA"] = git.sha
            variables["MARTLET_BRANCH"] = git.branch
            variables["MARTLET_REPOSITORY"] = git.repository
        }
        // W3C Trace Context, for programs that tell of themselves: the step is their parent.
        if let trace = work.causation.trace.flatMap(Trace.id) {
            variables["TRACEPARENT"] = "00-\(trace)-\(Trace.span(of: work.item))-01"
        }
        if let model = work.run.model { variables["MARTLET_MODEL_NAME"] = model }
        return variables
    }

    /// Puts a Python environment in front, as its own `activate` would.
    static func activate(_ path: String, in variables: inout [String: String]) {
        variables["VIRTUAL_ENV"] = path
        variables["PATH"] = "\(path)/bin:" + (variables["PATH"] ?? "/usr/bin:/bin")
        variables["PYTHONHOME"] = nil
    }

    /// `learning-rate` is found as `MARTLET_PARAM_LEARNING_RATE`.
    static func parameters(_ values: [String: JSONValue]) -> [String: String] {
        let texts = TrainingFiles.texts(values)
        return Dictionary(texts.map { (parameterName($0.key), $0.value) }, uniquingKeysWith: { $1 })
    }

    private static func parameterName(_ name: String) -> String {
        let letters = name.uppercased().map { character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "_"
        }
        return "MARTLET_PARAM_" + String(letters)
    }

    /// Names that a process cannot have, for a message before it is started.
    static func unusable(_ variables: [String: String]) -> String? {
        variables.first { $0.key.isEmpty || $0.key.contains("=") || $0.key.contains("\0") || $0.value.contains("\0") }?
            .key
    }
}
