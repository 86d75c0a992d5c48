import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Closes connections whose request comes too slowly or is longer than any that is taken.
///
/// It stands before the HTTP decoder, where bytes are counted, and behind it, where a request's end is seen: two
/// handlers of one connection, always on its event loop.
final class SlowRequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Bytes of one request that are read at the most, wanted or not: beyond that an answer was given long ago.
    private let mostBytes: Int
    private let grace: Duration
    private var pace: RequestPace
    private var bytes = 0
    private var timer: Scheduled<Void>?

    init(mostBytes: Int, grace: Duration = RequestPace.grace) {
        self.mostBytes = mostBytes
        self.grace = grace
        pace = RequestPace(at: .now, grace: grace)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let counter = ByteCounter { [unowned self] count in received(count, context) }
        do {
            try context.pipeline.syncOperations.addHandler(counter, position: .first)
        } catch {
            context.close(promise: nil)
        }
        watch(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) { pace.requestEnded() }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            pace.answerEnded()
            bytes = 0
        }
        context.write(data, promise: promise)
    }

    private func received(_ count: Int, _ context: ChannelHandlerContext) {
        pace.received(count, at: .now)
        bytes += count
        if bytes > mostBytes { return context.close(promise: nil) }
        watch(context)
    }

    /// One timer at a time; it looks again when it was too early.
    private func watch(_ context: ChannelHandlerContext) {
        guard timer == nil, let deadline = pace.deadline else { return }
        let wait = max(.zero, deadline - .now)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) { [weak self] in
            guard let self else { return }
            timer = nil
            guard let deadline = pace.deadline else { return }
            if deadline <= .now { context.close(promise: nil) } else { watch(context) }
        }
    }
}

/// Tells how many bytes come in, and passes them on.
private final class ByteCounter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let told: (Int) -> Void

    init(_ told: @escaping (Int) -> Void) { self.told = told }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        told(unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
    }
}
