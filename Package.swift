// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")

func shared(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Shared/\(name)", swiftSettings: settings)
}

/// A service's code; what runs it is in its folder `Program`, so that tests and `martlet-suite` can have the code too.
func service(_ name: String, in folder: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: [
            "ServiceKit", "Messages", "EventLog", "Bus", "Store", "Artifacts", grdb, logging, hummingbird, lifecycle,
            arguments,
        ] + dependencies,
        path: "Services/\(folder)",
        exclude: ["Program"],
        swiftSettings: settings
    )
}

/// A program's name is kebab-case, its target's UpperCamel: `trigger-service` from `TriggerServiceProgram`.
func program(_ name: String, in folder: String) -> Target {
    .executableTarget(
        name: "\(name)Program", dependencies: [.byName(name: name), arguments], path: "Services/\(folder)/Program",
        swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings)
}

/// What every service's tests stand on, and what one of them needs beside.
func tests(of service: String, _ dependencies: [Target.Dependency] = []) -> Target {
    let shared: [Target.Dependency] = ["ServiceKit", "Bus", "Store", "Artifacts", "Messages", grdb, logging]
    return tests("\(service)Tests", [.byName(name: service)] + shared + dependencies)
}

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "trigger-service", targets: ["TriggerServiceProgram"]),
        .executable(name: "trainer-proxy", targets: ["TrainerProxyProgram"]),
        .executable(name: "evaluator", targets: ["EvaluatorProgram"]),
        .executable(name: "registry-service", targets: ["RegistryServiceProgram"]),
        .executable(name: "deployer", targets: ["DeployerProgram"]),
        .executable(name: "notifier", targets: ["NotifierProgram"]),
        .executable(name: "event-bus", targets: ["EventBusProgram"]),
        .executable(name: "console", targets: ["ConsoleProgram"]),
        .executable(name: "martlet", targets: ["MartletProgram"]),
        .executable(name: "martlet-suite", targets: ["MartletSuite"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CZMQ", path: "Shared/CZMQ"),
        .systemLibrary(name: "CCurl", path: "Shared/CCurl"),
        .target(name: "CProcess", path: "Shared/CProcess"),
        shared("Messages"),
        shared("EventLog", ["Messages", crypto]),
        shared("Bus", ["Messages", "EventLog", "CZMQ", logging]),
        shared("Store", ["Messages", "EventLog", "CProcess", grdb, sqlite, logging]),
        shared("ProjectFile", ["Messages", yams, crypto]),
        shared("Artifacts", ["Messages", "HTTPClient", "Processes", "CProcess", crypto]),
        shared("HTTPClient", ["CCurl"]),
        shared("Processes", ["Messages", "CProcess", subprocess]),
        shared(
            "ServiceKit",
            [
                "Messages", "EventLog", "Bus", "Store", "Artifacts", grdb, logging, signals, lifecycle, hummingbird,
                arguments, crypto,
            ]),
        service("TriggerService", in: "trigger-service", ["ProjectFile", "Processes", crypto]),
        service("TrainerProxy", in: "trainer-proxy", ["ProjectFile", "Processes", "HTTPClient", crypto]),
        service("Evaluator", in: "evaluator", ["Processes", crypto]),
        service("RegistryService", in: "registry-service", ["HTTPClient", crypto]),
        service("Deployer", in: "deployer", ["Processes", "HTTPClient"]),
        service("Notifier", in: "notifier", ["HTTPClient"]),
        service("EventBus", in: "event-bus"),
        service("Console", in: "console", ["HTTPClient", crypto]),
        service("Martlet", in: "martlet", ["ProjectFile", "Processes", "HTTPClient", crypto]),
        program("TriggerService", in: "trigger-service"),
        program("TrainerProxy", in: "trainer-proxy"),
        program("Evaluator", in: "evaluator"),
        program("RegistryService", in: "registry-service"),
        program("Deployer", in: "deployer"),
        program("Notifier", in: "notifier"),
        program("EventBus", in: "event-bus"),
        program("Console", in: "console"),
        program("Martlet", in: "martlet"),
        .executableTarget(
            name: "MartletSuite",
            dependencies: [
                "TriggerService", "TrainerProxy", "Evaluator", "RegistryService", "Deployer", "Notifier", "EventBus",
                "Console", "Martlet", arguments,
            ],
            path: "Services/martlet-suite",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "BusBench",
            dependencies: ["ServiceKit", "Messages", "EventLog", "Bus", "Store", grdb, arguments],
            path: "Bench/BusBench",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ArtifactBench", dependencies: ["Artifacts", "ServiceKit", "Messages", arguments],
            path: "Bench/ArtifactBench", swiftSettings: settings),
        tests("MessagesTests", ["Messages"]),
        tests("EventLogTests", ["EventLog", "Messages"]),
        tests("BusTests", ["Bus", "EventLog", "Messages", logging]),
        tests("StoreTests", ["Store", "EventLog", "Messages", grdb]),
        tests("ProjectFileTests", ["ProjectFile", "Messages"]),
        tests("ArtifactsTests", ["Artifacts", "HTTPClient", "Messages", "Processes", "Spawning"]),
        tests("HTTPClientTests", ["HTTPClient", "Spawning"]),
        tests("ProcessesTests", ["Processes", "Messages"]),
        tests(
            "ServiceKitTests",
            [
                "ServiceKit", "EventBus", "Store", "Bus", "EventLog", "Artifacts", "Messages", "HTTPClient", "Serving",
                grdb, logging, hummingbird, lifecycle,
            ]),
        tests("EventBusTests", ["EventBus", "ServiceKit", "Bus", "EventLog", "Messages", logging]),
        tests(of: "TriggerService", ["ProjectFile", "Processes", "HTTPClient", "Serving", crypto, hummingbird]),
        tests(of: "TrainerProxy", ["Processes", "Serving", hummingbird]),
        tests(of: "Evaluator", ["Processes"]),
        tests(of: "RegistryService", ["EventLog", "HTTPClient", "Serving", hummingbird]),
        tests(of: "Deployer", ["Processes", "HTTPClient", lifecycle]),
        tests(of: "Notifier", ["HTTPClient", "Spawning"]),
        tests(of: "Console", ["EventLog", "HTTPClient", "Serving", hummingbird, lifecycle]),
        tests("MartletTests", ["Martlet", "Bus", "EventLog", "ProjectFile", "Messages", "Processes", "ServiceKit"]),
        // Whatever a simulated program does goes through it: not for a debugger to step through.
        .target(
            name: "CSimulation", path: "Tests/CSimulation",
            cSettings: [.unsafeFlags(["-O2", "-fno-strict-aliasing"])]),
        .target(name: "Spawning", dependencies: ["Processes"], path: "Tests/Spawning", swiftSettings: settings),
        .target(name: "Serving", dependencies: [hummingbird, logging], path: "Tests/Serving", swiftSettings: settings),
        tests(
            "SimulationTests",
            [
                "CSimulation", "ServiceKit", "Bus", "Store", "EventLog", "Artifacts", "Messages", "ProjectFile",
                "Processes", "EventBus", "TriggerService", "TrainerProxy", "Evaluator", "RegistryService", "Deployer",
                "Notifier", "Console", grdb, logging, lifecycle,
            ]),
        tests("TidyTests"),
    ]
)
