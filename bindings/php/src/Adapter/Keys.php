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

    private const REFUSED = '/[\x00-\x20%\x7F]/';

    /** The name of a key: spaces, control characters and % as %20 and the like, what is too long with a digest. */
    public static function name(string $key): string
    {
        if (preg_match(self::REFUSED, $key) === 1) {
            $key = self::escape($key, self::REFUSED, '%');
        }

        return strlen($key) > self::LONGEST ? self::shorten($key) : $key;
    }

    /**
     * The names of many keys behind a prefix, looked at together.
     *
     * @param  array<int|string> $keys
     * @return list<string>
     */
    public static function names(string $prefix, array $keys): array
    {
        $names = [];
        foreach ($keys as $key) {
            $names[] = $prefix . $key;
        }
        $longest = $names === [] ? 0 : max(array_map('strlen', $names));
        $are_plain = $longest <= self::LONGEST && preg_match(self::REFUSED, implode($names)) === 0;

        return $are_plain ? $names : array_map(self::name(...), $names);
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
