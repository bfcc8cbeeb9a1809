/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When src/pcsc asks a reader whether it has a keypad. pcsclite's functions are replaced (--wrap)
 * by those here: pcscd answers nothing about a reader whose card another program has in a
 * transaction. */
#include "vcard_fixture.h"

#include "jpki/pcsc.h"

#include <reader.h>
#include <string.h>
#include <winscard.h>

enum { CONTEXT = 7, CARD = 8, PATIENCE = 1000 };

static struct {
    bool held; /* a transaction of ours */
    bool resets_card;
    LONG lookup_error;
    unsigned connects, questions, typed, transmits;
} pcscd;

LONG __wrap_SCardEstablishContext(DWORD scope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT context);
LONG __wrap_SCardReleaseContext(SCARDCONTEXT context);
LONG __wrap_SCardConnect(SCARDCONTEXT context, LPCSTR reader, DWORD share, DWORD protocols,
                         LPSCARDHANDLE card, LPDWORD protocol);
LONG __wrap_SCardDisconnect(SCARDHANDLE card, DWORD disposition);
LONG __wrap_SCardGetAttrib(SCARDHANDLE card, DWORD id, LPBYTE attribute, LPDWORD length);
LONG __wrap_SCardBeginTransaction(SCARDHANDLE card);
LONG __wrap_SCardEndTransaction(SCARDHANDLE card, DWORD disposition);
LONG __wrap_SCardControl(SCARDHANDLE card, DWORD code, LPCVOID in, DWORD in_length, LPVOID out,
                         DWORD out_size, LPDWORD out_length);

LONG __wrap_SCardEstablishContext(DWORD scope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT context)
{
    (void)scope, (void)one, (void)two;
    *context = CONTEXT;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardReleaseContext(SCARDCONTEXT context)
{
    assert_int_equal(context, CONTEXT);
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardConnect(SCARDCONTEXT context, LPCSTR reader, DWORD share, DWORD protocols,
                         LPSCARDHANDLE card, LPDWORD protocol)
{
    (void)context, (void)reader, (void)share, (void)protocols;
    pcscd.connects++;
    *card = CARD;
    *protocol = SCARD_PROTOCOL_T1;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardDisconnect(SCARDHANDLE card, DWORD disposition)
{
    (void)disposition;
    assert_int_equal(card, CARD);
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardGetAttrib(SCARDHANDLE card, DWORD id, LPBYTE attribute, LPDWORD length)
{
    (void)card, (void)id, (void)attribute;
    *length = 0;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardBeginTransaction(SCARDHANDLE card)
{
    (void)card;
    assert_false(pcscd.held);
    bool reset = pcscd.resets_card;
    pcscd.resets_card = false;
    pcscd.held = !reset;
    return reset ? SCARD_W_RESET_CARD : SCARD_S_SUCCESS;
}

LONG __wrap_SCardEndTransaction(SCARDHANDLE card, DWORD disposition)
{
    (void)card, (void)disposition;
    assert_true(pcscd.held);
    pcscd.held = false;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardTransmit(SCARDHANDLE card, const SCARD_IO_REQUEST *send, LPCBYTE command,
                          DWORD length, SCARD_IO_REQUEST *receive, LPBYTE answer,
                          LPDWORD answer_length);

LONG __wrap_SCardTransmit(SCARDHANDLE card, const SCARD_IO_REQUEST *send, LPCBYTE command,
                          DWORD length, SCARD_IO_REQUEST *receive, LPBYTE answer,
                          LPDWORD answer_length)
{
    (void)card, (void)send, (void)command, (void)length, (void)receive;
    assert_true(pcscd.held);
    pcscd.transmits++;
    memcpy(answer, "\x90\x00", 2);
    *answer_length = 2;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardControl(SCARDHANDLE card, DWORD code, LPCVOID in, DWORD in_length, LPVOID out,
                         DWORD out_size, LPDWORD out_length)
{
    static const uint8_t features[] = {0x06, 4, 0x42, 0x33, 0x00, 0x06}, accepted[] = {0x90, 0x00};
    (void)in, (void)in_length;
    assert_int_equal(card, CARD);
    assert_true(out_size >= sizeof features);
    if (!pcscd.held)
        return SCARD_E_SHARING_VIOLATION;
    bool question = code == CM_IOCTL_GET_FEATURE_REQUEST;
    if (!question)
        assert_int_equal(code, 0x42330006);
    pcscd.questions += question;
    pcscd.typed += !question;
    if (question && pcscd.lookup_error != SCARD_S_SUCCESS)
        return pcscd.lookup_error;
    *out_length = question ? sizeof features : sizeof accepted;
    memcpy(out, question ? features : accepted, *out_length);
    return SCARD_S_SUCCESS;
}

/* ---- Questions ---------------------------------------------------------------------------- */

static struct jpki_transport transport;

static int open_transport(void **state)
{
    struct jpki_options options;
    memset(&pcscd, 0, sizeof pcscd);
    jpki_options_default(&options, JPKI_SLOTS_AUTH);
    *state = jpki_pcsc_readers.open(&options);
    assert_non_null(*state);
    transport = jpki_pcsc_readers.transport(*state, "A reader 00 00");
    assert_non_null(transport.ops);
    return 0;
}

static int close_transport(void **state)
{
    transport.ops->close(transport.self);
    jpki_pcsc_readers.close(*state);
    return 0;
}

static void begin(void)
{
    enum jpki_card_event event;
    assert_int_equal(transport.ops->begin(transport.self, PATIENCE, &event), JPKI_OK);
}

static void end(void)
{
    assert_true(transport.ops->end(transport.self, JPKI_LEAVE));
}

static void type(void)
{
    static const uint8_t verify[] = {0x00, 0x20, 0x00, 0x98, 4, 0, 0, 0, 0};
    uint8_t answer[JPKI_ANSWER_MAX];
    size_t length = sizeof answer;
    assert_int_equal(
        transport.ops->transmit_typed(transport.self, verify, sizeof verify, 4, answer, &length),
        JPKI_OK);
    assert_int_equal(length, 2);
}

/* Between our connecting and our transaction another program may be in one. */
static void in_a_transaction(void **state)
{
    (void)state;
    begin();
    assert_true(transport.ops->has_keypad(transport.self));
    end();
}

static void only_when_asked_for(void **state)
{
    (void)state;
    begin();
    end();
    assert_int_equal(pcscd.questions, 0);
}

static void once_for_a_connection(void **state)
{
    (void)state;
    for (unsigned connection = 1; connection <= 2; connection++) {
        for (int i = 0; i < 3; i++) {
            begin();
            assert_true(transport.ops->has_keypad(transport.self));
            assert_true(transport.ops->has_keypad(transport.self));
            end();
        }
        assert_int_equal(pcscd.connects, connection);
        assert_int_equal(pcscd.questions, connection);
        transport.ops->disconnect(transport.self);
    }
}

/* The connection was asked, and is another one by the time the PIN is typed. */
static void typing_on_a_new_connection(void **state)
{
    (void)state;
    begin();
    assert_true(transport.ops->has_keypad(transport.self));
    end();
    pcscd.resets_card = true;
    begin();
    type();
    end();
    assert_int_equal(pcscd.connects, 2);
    assert_int_equal(pcscd.questions, 2);
    assert_int_equal(pcscd.typed, 1);
}

static enum jpki_error transmit(void)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x0C};
    uint8_t answer[JPKI_ANSWER_MAX];
    size_t length = sizeof answer;
    return transport.ops->transmit(transport.self, select, sizeof select, answer, &length);
}

/* What the card is asked then would be answered by a card that was powered on anew, or by another
 * one: not the one that was selected in this transaction. */
static void card_lost_at_the_question(void **state)
{
    (void)state;
    static const LONG lost[] = {SCARD_W_REMOVED_CARD, SCARD_W_UNPOWERED_CARD, SCARD_E_NO_SERVICE,
                                SCARD_E_READER_UNAVAILABLE};
    static const LONG refused[] = {SCARD_E_UNSUPPORTED_FEATURE, SCARD_E_NOT_TRANSACTED,
                                   SCARD_E_INVALID_PARAMETER};
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        pcscd.lookup_error = lost[i];
        begin();
        assert_false(transport.ops->has_keypad(transport.self));
        assert_int_equal(transmit(), JPKI_ERR_CARD_CHANGED);
        (void)transport.ops->end(transport.self, JPKI_LEAVE);
        pcscd.held = false;
        pcscd.lookup_error = SCARD_S_SUCCESS;
        begin(); /* by a new connection */
        assert_true(transport.ops->has_keypad(transport.self));
        assert_int_equal(transmit(), JPKI_OK);
        end();
        transport.ops->disconnect(transport.self);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        pcscd.lookup_error = refused[i];
        begin();
        assert_false(transport.ops->has_keypad(transport.self));
        assert_int_equal(transmit(), JPKI_OK);
        end();
        transport.ops->disconnect(transport.self);
    }
    assert_int_equal(pcscd.transmits,
                     sizeof lost / sizeof lost[0] + sizeof refused / sizeof refused[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_transport, close_transport)
    const struct CMUnitTest tests[] = {
        TEST(in_a_transaction),          TEST(only_when_asked_for),
        TEST(once_for_a_connection),     TEST(typing_on_a_new_connection),
        TEST(card_lost_at_the_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
