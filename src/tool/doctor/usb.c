/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Card readers at USB, as the kernel shows them, and what pcscd's drivers know of them. */
#include "doctor/doctor.h"

#include "setup/files.h"

#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USB_DEVICES "/sys/bus/usb/devices"

enum { CLASS_SMART_CARD = 0x0B };

/* Readers that do not call themselves smart card readers: Sony's PaSoRi. */
static const struct {
    unsigned vendor, product;
} other_readers[] = {
    {0x054C, 0x01BB}, /* RC-S320 */
    {0x054C, 0x02E1}, /* RC-S330, RC-S360, RC-S370 */
    {0x054C, 0x06C1}, /* RC-S380/S */
    {0x054C, 0x06C3}, /* RC-S380/P */
    {0x054C, 0x0DC8}, /* RC-S300/S */
    {0x054C, 0x0DC9}, /* RC-S300/P */
};

/* A line of a file of sysfs; "" where there is none. */
static void read_attribute(const char *device, const char *name, char *line, size_t size)
{
    char path[TEXT_BYTES];
    (void)snprintf(path, sizeof path, USB_DEVICES "/%.64s/%s", device, name);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(line, (int)size, file) == NULL)
        *line = '\0';
    if (file != NULL)
        (void)fclose(file);
    line[strcspn(line, "\n")] = '\0';
}

static unsigned read_hex(const char *device, const char *name)
{
    char line[16];
    read_attribute(device, name, line, sizeof line);
    return (unsigned)strtoul(line, NULL, 16);
}

static bool is_reader(const char *interface, const struct usb_reader *reader)
{
    if (read_hex(interface, "bInterfaceClass") == CLASS_SMART_CARD)
        return true;
    for (size_t i = 0; i < sizeof other_readers / sizeof other_readers[0]; i++)
        if (other_readers[i].vendor == reader->vendor &&
            other_readers[i].product == reader->product)
            return true;
    return false;
}

/* The device of an interface: 1-2 of 1-2:1.0. False: it is no card reader. */
static bool look_at(const char *interface, struct usb_reader *reader)
{
    char device[64], path[TEXT_BYTES], target[TEXT_BYTES];
    (void)snprintf(device, sizeof device, "%.*s", (int)strcspn(interface, ":"), interface);
    *reader = (struct usb_reader){.vendor = read_hex(device, "idVendor"),
                                  .product = read_hex(device, "idProduct")};
    if (!is_reader(interface, reader))
        return false;
    read_attribute(device, "product", reader->name, sizeof reader->name);
    (void)snprintf(path, sizeof path, USB_DEVICES "/%.64s/driver", interface);
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(target, '/');
    (void)snprintf(reader->kernel_driver, sizeof reader->kernel_driver, "%s",
                   slash != NULL ? slash + 1 : "");
    return true;
}

size_t usb_readers(struct usb_reader list[USB_READERS_MAX])
{
    size_t count = 0;
    DIR *directory = opendir(USB_DEVICES);
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < USB_READERS_MAX;)
        if (strchr(entry->d_name, ':') != NULL && look_at(entry->d_name, &list[count]))
            count++;
    (void)closedir(directory);
    return count;
}

/* ---- Drivers ---------------------------------------------------------------------------- */

/* The next number of an array in a property list: <string>0x054C</string>. NULL: it ends. */
static const char *next_number(const char *at, unsigned *number)
{
    const char *end = strstr(at, "</array>"), *item = strstr(at, "<string>");
    if (item == NULL || (end != NULL && end < item))
        return NULL;
    *number = (unsigned)strtoul(item + strlen("<string>"), NULL, 16);
    return item + strlen("<string>");
}

/* Two arrays side by side: the vendors, the products. */
static bool plist_has(const char *text, const struct usb_reader *reader)
{
    const char *vendors = strstr(text, "<key>ifdVendorID</key>");
    const char *products = strstr(text, "<key>ifdProductID</key>");
    unsigned vendor, product;
    while (vendors != NULL && products != NULL) {
        vendors = next_number(vendors, &vendor);
        products = next_number(products, &product);
        if (vendors != NULL && products != NULL && vendor == reader->vendor &&
            product == reader->product)
            return true;
    }
    return false;
}

static bool driver_has(const char *path, const struct usb_reader *reader)
{
    char *text = NULL;
    bool has = read_text(path, &text) == 0 && plist_has(text, reader);
    free(text);
    return has;
}

enum usb_support usb_support(const struct usb_reader *reader)
{
    glob_t found;
    enum usb_support support = USB_NO_DRIVERS;
    if (glob(JPKI_PCSC_DRIVERS "/*.bundle/Contents/Info.plist", 0, NULL, &found) != 0)
        return support;
    for (size_t i = 0; i < found.gl_pathc && support != USB_SUPPORTED; i++)
        support = driver_has(found.gl_pathv[i], reader) ? USB_SUPPORTED : USB_UNKNOWN;
    globfree(&found);
    return support;
}
