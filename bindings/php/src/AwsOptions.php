<?php

declare(strict_types=1);

namespace Shoal;

use Shoal\Exception\BadOption;
use Shoal\Exception\Unsupported;

/**
 * The names that Amazon's ElastiCache client for PHP gives to its options and to its TLS context.
 *
 * @internal Shoal\Client takes them beside its own.
 */
final class AwsOptions
{
    private const NAMES = [
        'OPT_USE_TLS' => 'tls',
        'ca_cert_file' => 'tls_ca_file',
        'cert_file' => 'tls_cert_file',
        'key_file' => 'tls_key_file',
        'hostname' => 'tls_server_name',
    ];

    /** What cannot be followed where it is set, with what to do. */
    private const REFUSED = [
        'key_file_pass' => 'there is nobody to ask for a passphrase; give a key_file without one',
        'ca_cert_dir' => 'name one ca_cert_file, or leave both out for the authorities of the system',
        'ciphers' => 'they are those of OpenSSL; leave it out',
        'ciphersuites' => 'they are those of OpenSSL; leave it out',
        'skip_hostname_verify' => "a server's name is always checked; set hostname to the name that it has",
    ];

    /** A server's matter. */
    private const IGNORED = 'prefer_server_ciphers';

    /**
     * The endpoint and the options in Shoal's names; what has one already stays as it is.
     *
     * @param  string|list<string>  $endpoint
     * @param  array<string, mixed> $options
     * @return array{string|list<string>, array<string, mixed>}
     */
    public static function translate(string|array $endpoint, array $options): array
    {
        $translated = [];
        if ($options['skip_cert_verify'] ?? false) {
            unset($options['skip_hostname_verify']); // with no certificate looked at, no name in it is
        }
        foreach ($options as $name => $value) {
            if ($name === 'OPT_CLIENT_MODE') {
                $endpoint = self::inMode($value, $endpoint);
                continue;
            }
            [$own, $value] = self::option($name, $value);
            if ($own !== null && array_key_exists($own, $translated)) {
                throw new BadOption("the option $own was given twice, once as $name");
            }
            if ($own !== null) {
                $translated[$own] = $value;
            }
        }

        return [$endpoint, $translated];
    }

    /**
     * @param  string|list<string> $endpoint
     * @return string|list<string>
     */
    private static function inMode(mixed $mode, string|array $endpoint): string|array
    {
        if ($mode === 'dynamic') {
            return $endpoint;
        }
        if ($mode !== 'static') {
            throw new BadOption('OPT_CLIENT_MODE is static or dynamic');
        }
        $list = implode(',', (array) $endpoint);

        return str_contains($list, '://') ? $list : "static://$list";
    }

    /** @return array{?string, mixed} the name null where there is nothing to set */
    private static function option(int|string $name, mixed $value): array
    {
        if ($name === 'OPT_DYNAMIC_POLLING_INTERVAL_SECS') {
            if (!is_int($value) || $value < 1 || $value > 86400) {
                throw new BadOption("$name is a number of seconds from 1 to 86400");
            }

            return ['discovery_interval_ms', $value * 1000];
        }
        if ($name === 'skip_cert_verify') {
            return $value ? ['tls_verify', false] : [null, null];
        }
        if (isset(self::REFUSED[$name]) || self::isOneVersion($name, $value)) {
            return $value ? throw new Unsupported("$name: " . (self::REFUSED[$name]
                ?? 'TLS 1.2 or 1.3 is spoken, as the server likes; leave it out')) : [null, null];
        }
        if ($name === self::IGNORED) {
            return [null, null];
        }
        if (!isset(self::NAMES[$name])) {
            return [(string) $name, $value];
        }

        return $value === null ? [null, null] : [self::NAMES[$name], $value];
    }

    /** Amazon's `protocol` is a version of TLS; Shoal's own is how servers are spoken to. */
    private static function isOneVersion(int|string $name, mixed $value): bool
    {
        return $name === 'protocol' && is_string($value) && str_starts_with($value, 'TLS');
    }
}
