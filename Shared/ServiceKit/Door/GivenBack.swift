import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Gives back what a service that ends will not answer any more.
///
/// The connection is closed before the first byte of an answer, as if the service had been gone already: whoever stands in
/// front (compose/haproxy.cfg) asks another replica then, which a 503 would keep it from.
package final class GivenBack: ChannelOutboundHandler, RemovableChannelHandler {
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    /// An answer with this field is not sent.
    package static let mark = "x-martlet-given-back"

    package init() {}

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head(let head) = unwrapOutboundIn(data),
            head.headerFields.contains(where: { $0.name.canonicalName == Self.mark })
        {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return context.close(promise: nil)
        }
        context.write(data, promise: promise)
    }
}
