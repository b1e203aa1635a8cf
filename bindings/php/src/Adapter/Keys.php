<?php

declare(strict_types=1);

namespace Shoal\Adapter;

/**
 * Names on the servers for the keys of frameworks, which may hold bytes that memcached refuses, and be longer.
 *
 * @internal Two keys never get the same name. Most are their own.
 */
final class Keys
{
    /** What memcached takes at most. */
    public const LONGEST = 250;

    /** The name of a key: spaces, control characters and % as %20 and the like, what is too long with a digest. */
    public static function name(string $key): string
    {
        if (preg_match('/[\x00-\x20%\x7F]/', $key) === 1) {
            $key = self::escape($key, '/[\x00-\x20%\x7F]/', '%');
        }

        return strlen($key) > self::LONGEST ? self::shorten($key) : $key;
    }

    /** Each byte of the pattern as a sign and its two digits. */
    public static function escape(string $key, string $pattern, string $sign): string
    {
        $escaped = static fn (array $found): string => $sign . bin2hex($found[0]);

        return preg_replace_callback($pattern, $escaped, $key);
    }

    /** The beginning of a name that is too long, and a digest of the whole. */
    public static function shorten(string $name): string
    {
        $digest = '%' . hash('sha256', $name);

        return substr($name, 0, self::LONGEST - strlen($digest)) . $digest;
    }
}
