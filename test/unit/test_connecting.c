/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long src/pcsc waits for an SCardConnect that pcscd does not answer. pcsclite's functions and
 * the thread of the call are replaced (--wrap) by those here. */
#include "vcard_fixture.h"

#include "jpki/pcsc.h"

#include <winscard.h>

struct pcsc_async;

static struct {
    DWORD reader_state;
    bool answers;
    unsigned questions, connects;
    int64_t now, waited;
} pcscd;

int64_t __wrap_jpki_clock_ms(void);
LONG __wrap_SCardEstablishContext(DWORD scope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT context);
LONG __wrap_SCardReleaseContext(SCARDCONTEXT context);
LONG __wrap_SCardGetStatusChange(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE *states,
                                 DWORD count);
void __wrap_pcsc_async_start(struct pcsc_async *async);
bool __wrap_pcsc_async_wait(struct pcsc_async *async, int64_t deadline);

int64_t __wrap_jpki_clock_ms(void)
{
    return pcscd.now;
}

LONG __wrap_SCardEstablishContext(DWORD scope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT context)
{
    (void)scope, (void)one, (void)two;
    *context = 7;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardReleaseContext(SCARDCONTEXT context)
{
    (void)context;
    return SCARD_S_SUCCESS;
}

LONG __wrap_SCardGetStatusChange(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE *states,
                                 DWORD count)
{
    assert_int_equal(context, 7);
    assert_int_equal(timeout, 0);
    assert_int_equal(count, 1);
    assert_string_equal(states->szReader, "A reader");
    pcscd.questions++;
    states->dwEventState = pcscd.reader_state;
    return SCARD_S_SUCCESS;
}

void __wrap_pcsc_async_start(struct pcsc_async *async)
{
    (void)async;
    pcscd.connects++;
}

bool __wrap_pcsc_async_wait(struct pcsc_async *async, int64_t deadline)
{
    (void)async;
    if (pcscd.answers)
        return true;
    if (deadline > pcscd.now) {
        pcscd.waited += deadline - pcscd.now;
        pcscd.now = deadline;
    }
    return false;
}

/* ---- A transport whose SCardConnect does not come back ---------------------------------- */

static struct jpki_transport transport;

static void open_transport(DWORD state)
{
    pcscd.answers = false;
    pcscd.now = 1000;
    pcscd.reader_state = SCARD_STATE_PRESENT | state;
    pcscd.questions = pcscd.connects = 0;
    transport = jpki_pcsc_readers.transport(NULL, "A reader");
    assert_non_null(transport.ops);
}

/* The call comes back at last, without a card: else its thread would own the transport. */
static void close_transport(void)
{
    enum jpki_card_event event;
    pcscd.answers = true;
    assert_int_not_equal(transport.ops->begin(transport.self, 0, &event), JPKI_OK);
    transport.ops->close(transport.self);
}

static int64_t waited(unsigned patience)
{
    enum jpki_card_event event;
    pcscd.waited = 0;
    assert_int_equal(transport.ops->begin(transport.self, patience, &event), JPKI_ERR_BUSY);
    return pcscd.waited;
}

/* The card may need the time to get power. */
static void a_card_that_no_program_uses_gets_half_a_second(void **state)
{
    (void)state;
    open_transport(0);
    assert_int_equal(waited(0), 500);
    close_transport();
}

static void a_card_in_use_is_soon_busy(void **state)
{
    (void)state;
    open_transport(SCARD_STATE_INUSE);
    assert_int_equal(waited(0), 50);
    close_transport();
    open_transport(SCARD_STATE_INUSE);
    assert_int_equal(waited(300), 300);
    close_transport();
}

static void the_next_call_goes_on_with_it(void **state)
{
    (void)state;
    open_transport(0);
    assert_int_equal(waited(0), 500);
    assert_int_equal(waited(0), 0);
    assert_int_equal(waited(200), 200);
    assert_int_equal(pcscd.connects, 1);
    close_transport();
}

static void a_patient_call_asks_no_question(void **state)
{
    (void)state;
    open_transport(SCARD_STATE_INUSE);
    assert_int_equal(waited(1000), 1000);
    assert_int_equal(pcscd.questions, 0);
    close_transport();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_that_no_program_uses_gets_half_a_second),
        cmocka_unit_test(a_card_in_use_is_soon_busy),
        cmocka_unit_test(the_next_call_goes_on_with_it),
        cmocka_unit_test(a_patient_call_asks_no_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
