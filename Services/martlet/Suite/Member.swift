import Bus
import Foundation
import Messages
import ServiceKit

/// One service as `martlet up` starts it.
struct Member: Sendable, Hashable {
    var source: Source
    /// Its number among the processes of one service.
    var replica = 1
    /// 0 takes any free one.
    var port: Int
    /// The option with which an operator chooses another port.
    var portOption: String?
    /// What is found there, for people.
    var offers: String?
    /// Where it is not that of its name: the second bus.
    var program: Source?
    /// Where they are not in the data folder: the buses that it dials, or the one that it is.
    var buses: [BusAddress] = []

    /// Ended last: it carries what the others say to the end.
    var isBus: Bool { executable == .eventBus }
    var executable: Source { program ?? source }

    var name: String { replica == 1 ? source.name : "\(source.name)-\(replica)" }

    /// Further processes of the same service: they take any free port, since the first one has the known one.
    func scaled(to count: Int) -> [Member] {
        var next = self
        (next.port, next.portOption, next.offers) = (0, nil, nil)
        return [self]
            + (1..<max(1, count)).map { number in
                next.replica = number + 1
                return next
            }
    }

    func arguments(paths: DataPaths, executables: String, parent: Int32) -> [String] {
        [
            "\(executables)/\(executable)", "--data", paths.root, "--port", String(port), "--parent", String(parent),
        ] + buses.flatMap { ["--bus", $0.text] } + (program == nil ? [] : ["--name", source.name])
    }
}

/// The ports that people and forges have to know; everything else takes any free one.
struct SuitePorts: Sendable, Hashable {
    var console = 8080
    var trigger = 8081
    var registry = 5000
    var gateway = 8090

    var members: [Member] { members(on: []) }

    /// - Parameter buses: where they are not in the data folder.
    func members(on buses: [BusAddress]) -> [Member] {
        let carriers = buses.enumerated().map { index, address in
            Member(
                source: index == 0 ? .eventBus : Source(stringLiteral: "\(Source.eventBus)-\(index + 1)"), port: 0,
                program: index == 0 ? nil : .eventBus, buses: [address])
        }
        let others = services.map { member in
            var member = member
            member.buses = buses.map(\.nearby)
            return member
        }
        return (carriers.isEmpty ? [Member(source: .eventBus, port: 0)] : carriers) + others
    }

    private var services: [Member] {
        [
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
