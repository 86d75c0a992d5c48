import Bus
import Messages
import ServiceKit

/// When to look at a run's logs again: as soon as one of its steps has told a line, and now and then without that.
///
/// Telemetry only says *when*; what the steps wrote is read from the store. So nothing is missed where it is lost, or
/// where the bus cannot be reached from here.
struct LogTicks: Sendable {
    private static let withBus = Duration.seconds(1)
    private static let alone = Duration.milliseconds(200)

    let ticks: AsyncStream<Void>
    private let bus: BusConnection?
    private let tasks: [Task<Void, Never>]

    init(of run: String, _ bus: BusConnection?) {
        let (ticks, tick) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.ticks = ticks
        self.bus = bus
        let heard = bus?.hearTelemetry("t/\(StepLog.source)/\(StepLog.name)")
        tasks = [
            Task {
                while !Task.isCancelled {
                    try? await Task.sleep(for: bus?.isConnected == true ? Self.withBus : Self.alone)
                    tick.yield()
                }
            },
            Task {
                guard let heard else { return }
                for await message in heard where message.as(StepLog.self)?.step.run == run { tick.yield() }
            },
        ]
    }

    func stop() async {
        for task in tasks { task.cancel() }
        await bus?.shutdown()
    }
}
