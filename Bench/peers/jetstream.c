/* jetstream URL speed|one|latency|catchup EVENTS BYTES [RATE]: a publisher and a pull consumer on one file stream.
   nats-server 2.9 acknowledges before it syncs to disk: what is acknowledged survives kill -9, not a loss of power. */
#include "clock.h"
#include <nats/nats.h>
#include <pthread.h>

static int events, bytes, rate;
static delays_t delays;
static int64_t last_ack;
static char *body;
static const char *url;

static void check(natsStatus status, const char *what) {
    if (status != NATS_OK) fail(what, natsStatus_GetText(status));
}

static jsCtx *dial(natsConnection **connection) {
    jsCtx *js = NULL;
    jsOptions options;
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = 256;
    options.PublishAsync.StallWait = 10000;
    check(natsConnection_ConnectTo(connection, url), "connect");
    check(natsConnection_JetStream(&js, *connection, &options), "JetStream");
    return js;
}

static void *consume(void *unused) {
    (void)unused;
    natsConnection *connection = NULL;
    natsSubscription *subscription = NULL;
    jsCtx *js = dial(&connection);
    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Config.AckPolicy = js_AckAll;
    check(js_PullSubscribe(&subscription, js, "bench", "c", NULL, &options, NULL), "subscribe");
    for (int done = 0; done < events;) {
        natsMsgList list;
        natsStatus status = natsSubscription_Fetch(&list, subscription, 256, 10000, NULL);
        if (status == NATS_TIMEOUT && list.Count == 0) fail("fetch", "nothing came");
        if (status != NATS_TIMEOUT) check(status, "fetch");
        /* The last one's acknowledgement, answered, stands for all before it. */
        check(natsMsg_AckSync(list.Msgs[list.Count - 1], NULL, NULL), "ack");
        last_ack = monotonic();
        for (int i = 0; i < list.Count; i++) {
            int64_t intended;
            memcpy(&intended, natsMsg_GetData(list.Msgs[i]), sizeof intended);
            delays_add(&delays, last_ack - intended);
        }
        done += list.Count;
        natsMsgList_Destroy(&list);
    }
    return NULL;
}

static void stamp(int64_t intended) { memcpy(body, &intended, sizeof intended); }

static void publish_fast(jsCtx *js) {
    for (int n = 0; n < events; n++) {
        stamp(monotonic());
        check(js_PublishAsync(js, "bench", body, bytes, NULL), "publish");
    }
    check(js_PublishAsyncComplete(js, NULL), "publish");
}

static void publish_timed(jsCtx *js) {
    int64_t begin = monotonic() + 10000000;
    for (int n = 0; n < events; n++) {
        int64_t intended = begin + (int64_t)n * 1000000000 / rate;
        sleep_until(intended);
        stamp(intended);
        check(js_PublishAsync(js, "bench", body, bytes, NULL), "publish");
    }
    check(js_PublishAsyncComplete(js, NULL), "publish");
}

static void one_at_a_time(jsCtx *js) {
    int64_t begun = monotonic();
    for (int n = 0; n < events; n++) {
        int64_t start = monotonic();
        check(js_Publish(NULL, js, "bench", body, bytes, NULL, NULL), "publish");
        delays_add(&delays, monotonic() - start);
    }
    report(begun, monotonic(), delays.count, &delays);
}

int main(int argc, char **argv) {
    if (argc < 5) fail("usage", "jetstream URL speed|one|latency|catchup EVENTS BYTES [RATE]");
    url = argv[1], events = atoi(argv[3]), bytes = atoi(argv[4]);
    rate = argc > 5 ? atoi(argv[5]) : 1000;
    const char *mode = argv[2];
    body = malloc((size_t)bytes);
    memset(body, 'x', (size_t)bytes);
    natsConnection *connection = NULL;
    jsCtx *js = dial(&connection);
    js_DeleteStream(js, "bench", NULL, NULL);
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const char *subjects[] = {"bench"};
    config.Name = "bench", config.Subjects = subjects, config.SubjectsLen = 1, config.Storage = js_FileStorage;
    check(js_AddStream(NULL, js, &config, NULL, NULL), "stream");
    if (!strcmp(mode, "one")) {
        one_at_a_time(js);
        return 0;
    }
    pthread_t consumer;
    if (!strcmp(mode, "catchup")) publish_fast(js);
    int64_t begun = monotonic();
    pthread_create(&consumer, NULL, consume, NULL);
    if (!strcmp(mode, "speed")) publish_fast(js);
    if (!strcmp(mode, "latency")) publish_timed(js);
    pthread_join(consumer, NULL);
    report(begun, last_ack, delays.count, &delays);
    return 0;
}
