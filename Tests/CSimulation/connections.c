#include "network.h"

// What happens between sockets: dialling, losing, repeating, delaying, hanging up.

// MARK: Messages

void message_add(message *to, const void *bytes, size_t count) {
    to->frames = realloc(to->frames, (to->count + 1) * sizeof(frame));
    void *copy = malloc(count ? count : 1);
    memcpy(copy, bytes, count);
    to->frames[to->count++] = (frame){copy, count};
}

message *message_of(const frame *frames, size_t count) {
    message *made = calloc(1, sizeof *made);
    for (size_t i = 0; i < count; i++) message_add(made, frames[i].bytes, frames[i].count);
    return made;
}

message *message_copy(const message *old) { return message_of(old->frames, old->count); }

void message_free(message *old) {
    if (!old) return;
    for (size_t i = 0; i < old->count; i++) free(old->frames[i].bytes);
    free(old->frames);
    free(old);
}

void deliver(socket_s *to, message *arrived) {
    arrived->next = NULL;
    if (to->last) {
        to->last->next = arrived;
    } else {
        to->first = arrived;
    }
    to->last = arrived;
    wake_waiters(to);
}

// MARK: On the way

typedef struct {
    link *link;
    uint64_t life;
    int direction;
    bool is_topic, wanted;
    message *message;
} packet;

static socket_s *end_of(link *one, int direction) { return direction == to_listener ? one->listener : one->dialer; }

static bool exists(link *wanted) {
    for (link *one = here->network->links; one; one = one->next) {
        if (one == wanted) return true;
    }
    return false;
}

link *link_of(const message *received) {
    for (link *one = here->network->links; one; one = one->next) {
        if (one->is_up && memcmp(one->identity, received->identity, sizeof one->identity) == 0) return one;
    }
    return NULL;
}

static void change_topics(link *one, const frame *topic, bool wanted) {
    for (size_t i = 0; i < one->topic_count; i++) {
        if (strlen(one->topics[i]) != topic->count || memcmp(one->topics[i], topic->bytes, topic->count)) continue;
        if (!wanted) {
            free(one->topics[i]);
            one->topics[i] = one->topics[--one->topic_count];
            return;
        }
    }
    if (!wanted) return;
    one->topics = realloc(one->topics, (one->topic_count + 1) * sizeof(char *));
    one->topics[one->topic_count++] = strndup(topic->bytes, topic->count);
}

static void arrive(void *context) {
    packet arrived = *(packet *)context;
    free(context);
    message *m = arrived.message;
    link *one = arrived.link;
    if (!exists(one) || !one->is_up || one->life != arrived.life) return message_free(m);
    if (!arrived.is_topic) {
        memcpy(m->identity, one->identity, sizeof m->identity);
        for (size_t i = 0; i < m->count; i++) {
            note(m->frames[i].count);
            for (size_t b = 0; b < m->frames[i].count; b++) note(((uint8_t *)m->frames[i].bytes)[b]);
        }
        return deliver(end_of(one, arrived.direction), m);
    }
    change_topics(one, &m->frames[0], arrived.wanted);
    // With XPUB_VERBOSE the application hears of every subscription.
    if (one->listener->type == ZMQ_XPUB) {
        message *told = calloc(1, sizeof *told);
        char *bytes = malloc(m->frames[0].count + 1);
        bytes[0] = arrived.wanted;
        memcpy(bytes + 1, m->frames[0].bytes, m->frames[0].count);
        message_add(told, bytes, m->frames[0].count + 1);
        free(bytes);
        deliver(one->listener, told);
    }
    message_free(m);
}

static void send_packet(link *one, packet sent, bool is_late) {
    simulation_network *faults = &here->faults;
    uint64_t at = here->now + faults->latency + chance_below(faults->jitter);
    uint64_t *last = &one->last_arrival[sent.direction];
    if (is_late) {
        at += chance_below(faults->lateness);
    } else {
        // One connection keeps its order.
        if (at <= *last) at = *last + 1;
        *last = at;
    }
    packet *copy = malloc(sizeof *copy);
    *copy = sent;
    if (!sent.is_topic) one->on_the_way[sent.direction]++;
    schedule_for(0, at, arrive, copy);
}

bool has_room(link *one, int direction) { return one->on_the_way[direction] < here->faults.room; }

bool transmit(link *one, int direction, message *sent, bool is_feed) {
    network *n = here->network;
    simulation_network *faults = &here->faults;
    if (!has_room(one, direction)) return false;
    n->sent++;
    socket_s *from = end_of(one, !direction), *to = end_of(one, direction);
    bool unplugged = here->processes[from->process].unplugged || here->processes[to->process].unplugged;
    if (unplugged || chance_of(is_feed ? faults->lost : faults->requests_lost)) {
        n->lost++;
        message_free(sent);
        return true;
    }
    packet once = {.link = one, .life = one->life, .direction = direction, .message = sent};
    if (is_feed && chance_of(faults->repeated)) {
        packet again = once;
        again.message = message_copy(sent);
        send_packet(one, again, true);
    }
    send_packet(one, once, is_feed && chance_of(faults->late));
    return true;
}

void tell_topic(link *one, const char *topic, size_t count, bool wanted) {
    if (!one->is_up) return;
    frame name = {(void *)topic, count};
    send_packet(
        one,
        (packet){
            .link = one, .life = one->life, .direction = to_listener, .is_topic = true, .wanted = wanted,
            .message = message_of(&name, 1)},
        false);
}

bool wants(link *one, const frame *topic) {
    for (size_t i = 0; i < one->topic_count; i++) {
        size_t length = strlen(one->topics[i]);
        if (length <= topic->count && memcmp(one->topics[i], topic->bytes, length) == 0) return true;
    }
    return false;
}

// MARK: Dialling and hanging up

static void tell_monitor(socket_s *dialer, uint16_t code) {
    if (!dialer->monitor_at || !dialer->monitor) return;
    message *told = calloc(1, sizeof *told);
    uint8_t bytes[6] = {(uint8_t)code, (uint8_t)(code >> 8)};
    message_add(told, bytes, sizeof bytes);
    message_add(told, "", 0);
    deliver(dialer->monitor, told);
}

static socket_s *listener_at(const char *endpoint) {
    for (socket_s *one = here->network->sockets; one; one = one->next) {
        if (one->endpoint && strcmp(one->endpoint, endpoint) == 0) return one;
    }
    return NULL;
}

/// Something to be done with a connection later, if there still is that one.
typedef struct {
    link *link;
    uint64_t number;
} appointment;

static void see_again(link *one, uint64_t at, action run) {
    appointment *made = malloc(sizeof *made);
    *made = (appointment){one, one->number};
    schedule_for(0, at, run, made);
}

/// NULL: it is gone, or up.
static link *kept(void *context) {
    appointment made = *(appointment *)context;
    free(context);
    bool is_it = exists(made.link) && made.link->number == made.number;
    return is_it && !made.link->is_up ? made.link : NULL;
}

static void try_again(void *context) {
    link *one = kept(context);
    if (one) dial(one);
}

void dial(link *one) {
    socket_s *listener = listener_at(one->endpoint);
    socket_s *dialer = one->dialer;
    bool reachable = listener && !here->processes[listener->process].unplugged &&
                     !here->processes[dialer->process].unplugged && !here->processes[listener->process].stopped;
    if (!reachable) {
        see_again(one, here->now + 100000000 + chance_below(400000000), try_again);
        return;
    }
    one->listener = listener;
    one->is_up = true;
    // Never that of another connection in the same place of memory.
    one->life = here->network->identities + 1;
    uint64_t number = ++here->network->identities;
    memset(one->identity, 0, sizeof one->identity);
    memcpy(one->identity + 1, &number, 4);
    for (int i = 0; i < 2; i++) one->on_the_way[i] = 0;
    for (size_t i = 0; i < dialer->topic_count; i++)
        tell_topic(one, dialer->topics[i], strlen(dialer->topics[i]), true);
    tell_monitor(dialer, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    wake_waiters(dialer);
}

static void notice(void *context) {
    link *one = kept(context);
    if (!one) return;
    tell_monitor(one->dialer, ZMQ_EVENT_DISCONNECTED);
    dial(one);
}

void hang_up(link *one) {
    if (!one->is_up) return;
    one->is_up = false;
    one->life++;
    one->listener = NULL;
    for (size_t i = 0; i < one->topic_count; i++) free(one->topics[i]);
    free(one->topics);
    one->topics = NULL;
    one->topic_count = 0;
    see_again(one, here->now + 1000000 + chance_below(5000000), notice);
}

static void cut(void *context) {
    int process = (int)(intptr_t)context;
    if (!here->processes[process].unplugged) return;
    for (link *one = here->network->links; one; one = one->next) {
        if (one->is_up && (one->dialer->process == process || one->listener->process == process)) hang_up(one);
    }
}

void simulation_unplug(int process, bool unplugged) {
    here->processes[process].unplugged = unplugged;
    // At first only messages vanish; that a connection is gone shows later.
    if (unplugged) schedule_for(0, here->now + chance_below(3000000000), cut, (void *)(intptr_t)process);
}
