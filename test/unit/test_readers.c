/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What src/pcsc makes of the readers that pcscd has: however many, whatever their names. pcsclite's
 * functions are replaced (--wrap) by those here. */
#include "vcard_fixture.h"

#include "jpki/pcsc.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winscard.h>

enum { READERS_MAX = 300, NEW_READERS = -1 };

static const char new_readers[] = "\\\\?PnP?\\Notification";

static struct {
    char names[READERS_MAX][JPKI_READER_NAME];
    size_t count;
    unsigned lists_kept, sleeps, short_pauses;
    size_t most_states; /* of pcsclite before 2.4; 0: any number */
    LONG list_error, sleep_error;
    size_t slept_on; /* states of the last sleep */
    bool slept_on_new_readers;
    unsigned cancels, cancels_forgotten; /* sent; those that come before the sleep has begun */
    bool sleeps_until_cancelled;
    sem_t about_to_sleep, cancelled;
} service;

static void add_reader(const char *name)
{
    assert_true(service.count < READERS_MAX);
    (void)snprintf(service.names[service.count++], JPKI_READER_NAME, "%s", name);
}

static void add_readers(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[JPKI_READER_NAME];
        (void)snprintf(name, sizeof name, "A reader whose name takes %080zu bytes 00 00",
                       service.count);
        add_reader(name);
    }
}

/* ---- pcsclite ---------------------------------------------------------------------------- */

LONG __wrap_SCardEstablishContext(DWORD scope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT context);
LONG __wrap_SCardReleaseContext(SCARDCONTEXT context);
LONG __wrap_SCardListReaders(SCARDCONTEXT context, LPCSTR groups, LPSTR names, LPDWORD length);
LONG __wrap_SCardFreeMemory(SCARDCONTEXT context, LPCVOID memory);
LONG __wrap_SCardGetStatusChange(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE *states,
                                 DWORD count);
LONG __wrap_SCardCancel(SCARDCONTEXT context);
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout);

LONG __wrap_SCardEstablishContext(DWORD scope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT context)
{
    (void)scope, (void)one, (void)two;
    *context = 7;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardReleaseContext(SCARDCONTEXT context)
{
    assert_int_equal(context, 7);
    return SCARD_S_SUCCESS;
}

static size_t names_length(void)
{
    size_t length = 1;
    for (size_t i = 0; i < service.count; i++)
        length += strlen(service.names[i]) + 1;
    return length;
}

/* Of the two ways to call it only this one is used: the memory for the names is pcsclite's. */
LONG __wrap_SCardListReaders(SCARDCONTEXT context, LPCSTR groups, LPSTR names, LPDWORD length)
{
    (void)groups;
    assert_int_equal(context, 7);
    assert_int_equal(*length, SCARD_AUTOALLOCATE);
    if (service.list_error != SCARD_S_SUCCESS)
        return service.list_error;
    if (service.count == 0)
        return SCARD_E_NO_READERS_AVAILABLE;
    *length = names_length();
    char *name = malloc(*length);
    assert_non_null(name);
    memcpy(names, &name, sizeof name);
    for (size_t i = 0; i < service.count; i++)
        name = stpcpy(name, service.names[i]) + 1;
    *name = '\0';
    service.lists_kept++;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardFreeMemory(SCARDCONTEXT context, LPCVOID memory)
{
    assert_int_equal(context, 7);
    service.lists_kept--;
    void *names;
    memcpy(&names, &memory, sizeof names); /* without its const */
    free(names);
    return SCARD_S_SUCCESS;
}

static int find(const char *name)
{
    for (size_t i = 0; i < service.count; i++)
        if (strcmp(service.names[i], name) == 0)
            return (int)i;
    assert_string_equal(name, new_readers);
    return NEW_READERS;
}

LONG __wrap_SCardGetStatusChange(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE *states,
                                 DWORD count)
{
    assert_int_equal(context, 7);
    assert_true(count > 0);
    if (service.most_states > 0 && count > service.most_states)
        return SCARD_E_INVALID_PARAMETER;
    bool asks_for_new = false;
    for (DWORD i = 0; i < count; i++) {
        int reader = find(states[i].szReader);
        asks_for_new |= reader == NEW_READERS;
        /* Every third reader has a card; each has seen as many as its number says. */
        states[i].dwEventState =
            (DWORD)(reader + 1) << 16 | (reader % 3 == 0 ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY);
        if (timeout > 0 && reader != NEW_READERS)
            assert_int_equal(states[i].dwCurrentState, states[i].dwEventState);
    }
    if (timeout == 0)
        return SCARD_S_SUCCESS;
    assert_true(++service.sleeps < 100);
    service.slept_on = count;
    service.slept_on_new_readers = asks_for_new;
    sem_post(&service.about_to_sleep);
    if (service.sleeps_until_cancelled)
        sem_wait(&service.cancelled);
    return service.sleep_error;
}

LONG __wrap_SCardCancel(SCARDCONTEXT context)
{
    assert_int_equal(context, 7);
    if (++service.cancels > service.cancels_forgotten)
        sem_post(&service.cancelled);
    return SCARD_S_SUCCESS;
}

/* The module polls for one thing here: the end of a pause that a cancellation may cut short. */
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout)
{
    (void)files, (void)count;
    assert_int_equal(timeout, 1000);
    service.short_pauses++;
    return 0;
}

/* ---- Listing ----------------------------------------------------------------------------- */

static const struct jpki_readers_ops *ops = &jpki_pcsc_readers;
static void *source;

static void open_with(const char *options)
{
    struct jpki_options parsed;
    jpki_options_default(&parsed, JPKI_SLOTS_AUTH);
    assert_true(jpki_options_parse(&parsed, options));
    if (source != NULL)
        ops->close(source);
    source = ops->open(&parsed);
    assert_non_null(source);
}

static int open_source(void **state)
{
    (void)state;
    memset(&service, 0, sizeof service);
    sem_init(&service.about_to_sleep, 0, 0);
    sem_init(&service.cancelled, 0, 0);
    open_with("");
    return 0;
}

static int close_source(void **state)
{
    (void)state;
    ops->close(source);
    source = NULL;
    assert_int_equal(service.lists_kept, 0);
    return 0;
}

/* Lists, and expects the first `expected` readers of the service, each as it is. */
static struct jpki_reader_status *expect_list(size_t expected)
{
    struct jpki_reader_status *list;
    size_t count;
    assert_int_equal(ops->list(source, &list, &count), JPKI_OK);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(list[i].name, service.names[i]);
        assert_int_equal(list[i].present, i % 3 == 0);
        assert_int_equal(list[i].insertion & 0xFFFF, i + 1);
    }
    return list;
}

static void no_readers(void **state)
{
    (void)state;
    assert_null(expect_list(0));
}

static void any_number_of_readers(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 16, 17, 32, 33, 48, 100, READERS_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        add_readers(counts[i] - service.count);
        free(expect_list(counts[i]));
    }
}

static void listing_fails(void **state)
{
    (void)state;
    struct jpki_reader_status *list;
    size_t count = 1;
    add_readers(1);
    service.list_error = SCARD_E_NO_MEMORY;
    assert_int_equal(ops->list(source, &list, &count), JPKI_ERR_MEMORY);
    assert_null(list);
    assert_int_equal(count, 0);
}

/* ---- Reader names to ignore -------------------------------------------------------------- */

static void expect_ignored(const char *option, const char *shown)
{
    static const char *const names[] = {"Acme 00 00", "Acme, Inc. Reader 00 00", "a\\b 00 00",
                                        "Virtual; PCD 00 00"};
    char list[200] = "";
    struct jpki_reader_status *found;
    size_t count;
    memset(&service, 0, sizeof service);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_reader(names[i]);
    open_with(option);
    assert_int_equal(ops->list(source, &found, &count), JPKI_OK);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
            if (strcmp(found[i].name, names[j]) == 0)
                (void)snprintf(list + strlen(list), 3, "%zu", j);
    free(found);
    if (strcmp(list, shown) != 0)
        fail_msg("%s shows %s, not %s", option, list, shown);
}

static void ignored_readers(void **state)
{
    (void)state;
    static const struct {
        const char *option, *shown;
    } rows[] = {
        {"", "0123"},
        {"ignore-readers=", "0123"},
        {"ignore-readers=Nothing", "0123"},
        {"ignore-readers=Acme", "23"},
        {"ignore-readers='Acme 00'", "123"},
        /* Commas part the list, empty parts are none. */
        {"ignore-readers='Virtual,Acme 00'", "12"},
        {"ignore-readers=,,Virtual,", "012"},
        {"ignore-readers=,", "0123"},
        {"ignore-readers='Nothing,Acme, Inc.'", "23"},
        /* But not those of a name. */
        {"ignore-readers='Acme\\, Inc.'", "023"},
        {"ignore-readers=\\,", "023"},
        {"ignore-readers='Virtual,Acme\\, Inc.,Nothing'", "02"},
        {"ignore-readers='Acme\\,,Virtual'", "02"},
        {"ignore-readers=Acme\\", "0123"},
        /* A backslash before anything else is one. */
        {"ignore-readers=a\\b", "013"},
        {"ignore-readers=a\\b,Virtual", "01"},
        {"ignore-readers='\\\\,Inc'", "0123"},
        {"ignore-readers=\"Virtual; PCD\"", "012"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_ignored(rows[i].option, rows[i].shown);
}

/* ---- Waiting ----------------------------------------------------------------------------- */

static void wait_for_change(size_t count)
{
    struct jpki_reader_status *known = expect_list(count);
    assert_int_equal(ops->wait(source, known, count), JPKI_OK);
    free(known);
}

static void waiting_for_all_of_them(void **state)
{
    (void)state;
    add_readers(100);
    wait_for_change(100);
    assert_int_equal(service.sleeps, 1);
    assert_int_equal(service.slept_on, 101);
    assert_true(service.slept_on_new_readers);
    assert_int_equal(service.short_pauses, 0);
}

/* pcsclite before 2.4 takes 16 states, and has no more readers: with all of them there is no room
 * to ask for new ones, and no need. */
static void waiting_for_as_many_as_there_can_be(void **state)
{
    (void)state;
    service.most_states = 16;
    add_readers(15);
    wait_for_change(15);
    assert_int_equal(service.slept_on, 16);
    assert_true(service.slept_on_new_readers);
    add_readers(1);
    wait_for_change(16);
    assert_int_equal(service.slept_on, 16);
    assert_false(service.slept_on_new_readers);
    assert_int_equal(service.sleeps, 2);
    assert_int_equal(service.short_pauses, 0);
}

/* Whatever keeps it from sleeping, it does not ask without a pause. */
static void waiting_is_refused(void **state)
{
    (void)state;
    static const LONG errors[] = {SCARD_E_INVALID_PARAMETER, SCARD_E_NO_SERVICE, SCARD_E_NO_MEMORY,
                                  SCARD_F_UNKNOWN_ERROR};
    add_readers(2);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        service.sleep_error = errors[i];
        wait_for_change(2);
        assert_int_equal(service.short_pauses, i + 1);
    }
    /* These are no refusals: something changed, or nothing did for long. */
    service.sleep_error = SCARD_E_UNKNOWN_READER;
    wait_for_change(2);
    service.sleep_error = SCARD_E_TIMEOUT;
    wait_for_change(2);
    assert_int_equal(service.short_pauses, sizeof errors / sizeof errors[0]);
}

static void *wait_in_a_thread(void *rv)
{
    *(enum jpki_error *)rv = ops->wait(source, NULL, 0);
    return NULL;
}

/* The sleep ends, and with it its thread, though pcscd forgets what is cancelled too early. */
static void a_sleep_is_cancelled(void **state)
{
    (void)state;
    pthread_t thread;
    enum jpki_error rv = JPKI_OK;
    service.sleeps_until_cancelled = true;
    service.cancels_forgotten = 3;
    assert_int_equal(pthread_create(&thread, NULL, wait_in_a_thread, &rv), 0);
    sem_wait(&service.about_to_sleep);
    ops->cancel(source);
    pthread_join(thread, NULL);
    assert_int_equal(rv, JPKI_ERR_CANCELLED);
    assert_true(service.cancels > service.cancels_forgotten);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_source, close_source)
    const struct CMUnitTest tests[] = {
        TEST(no_readers),
        TEST(any_number_of_readers),
        TEST(listing_fails),
        TEST(ignored_readers),
        TEST(waiting_for_all_of_them),
        TEST(waiting_for_as_many_as_there_can_be),
        TEST(waiting_is_refused),
        TEST(a_sleep_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
