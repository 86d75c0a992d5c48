import Foundation
import Messages
import ServiceKit

/// One service as `martlet up` starts it.
struct Member: Sendable, Hashable {
    var source: Source
    /// 0 takes any free one.
    var port: Int
    /// The option with which an operator chooses another port.
    var portOption: String?
    /// What is found there, for people.
    var offers: String?

    func arguments(paths: DataPaths, executables: String, parent: Int32) -> [String] {
        [
            "\(executables)/\(source.name)", "--data", paths.root, "--port", String(port), "--parent", String(parent),
        ]
    }
}

/// The ports that people and forges have to know; everything else takes any free one.
struct SuitePorts: Sendable, Hashable {
    var console = 8080
    var trigger = 8081
    var registry = 5000
    var gateway = 8090

    var members: [Member] {
        [
            Member(source: .eventBus, port: 0),
            Member(source: .console, port: console, portOption: "--console-port", offers: "/api/v1, for the CLI"),
            Member(
                source: .triggerService, port: trigger, portOption: "--trigger-port",
                offers: "watches repositories, runs pipelines"),
            Member(
                source: .registryService, port: registry, portOption: "--registry-port", offers: "models and stages"),
            Member(
                source: .deployer, port: gateway, portOption: "--gateway-port", offers: "/endpoints/<name>/, the models"
            ),
            Member(source: .trainerProxy, port: 0), Member(source: .evaluator, port: 0),
            Member(source: .notifier, port: 0),
        ]
    }
}
