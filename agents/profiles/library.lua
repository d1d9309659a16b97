#!lua name=tierstream_1
-- The only writers of the projection. One call is atomic: a hash and its places in the indexes never disagree.
--
-- A marker per partition of the topic says who may write (`holder`: whoever claimed last), up to which offset everything
-- is here (`offset`), and in which round it was read (`epoch`). It lies beside the data on purpose: data that is flushed,
-- or goes back in time with a replica or a backup, takes it along. Calls of a former holder, such as the rest of a
-- pipeline that a frozen server finds in a dead connection's buffer, change nothing.
--
-- A hash's own bookkeeping begins with an underscore: `_as_of` (ms), `_epoch`, `_in` (its indexes, one a line, without
-- the prefix: it leaves exactly where it was put, also after the number of shards has changed).

local LOST, STALE, WRITTEN, REPEATED = -1, 0, 1, 2

local function held(marker, holder)
  return redis.call('HGET', marker, 'holder') == holder
end

local function lines(text)
  local found = {}
  for line in string.gmatch(text or '', '[^\n]+') do found[line] = true end
  return found
end

local function remove(key, prefix, member)
  local places = redis.call('HGET', key, '_in')
  if not places then return redis.call('DEL', key) end
  for place in pairs(lines(places)) do redis.call('ZREM', prefix .. place, member) end
  return redis.call('DEL', key)
end

-- KEYS marker; ARGV holder, topic id, now, longest absence (ms).  -> {epoch, offset, state}
-- A marker that is absent, of another topic, or not seen for so long that the topic may have forgotten erasures, begins
-- a new round from the first offset.
local function claim(keys, args)
  local was = redis.call('HMGET', keys[1], 'topic', 'epoch', 'offset', 'state', 'seen_at')
  local fits = was[1] == args[2] and was[3] and tonumber(args[3]) - tonumber(was[5] or 0) <= tonumber(args[4])
  if not fits then
    was[2], was[3], was[4] = args[3], '0', 'rebuilding'
    redis.call('DEL', keys[1])
  end
  redis.call('HSET', keys[1], 'holder', args[1], 'topic', args[2], 'epoch', was[2], 'offset', was[3], 'state', was[4],
    'seen_at', args[3])
  return { was[2], was[3], was[4] }
end

-- KEYS marker; ARGV holder, offset, state, now.  -> 1, or LOST
local function advance(keys, args)
  if not held(keys[1], args[1]) then return LOST end
  redis.call('HSET', keys[1], 'offset', args[2], 'state', args[3], 'seen_at', args[4])
  return WRITTEN
end

-- KEYS marker; ARGV topic id, now.  Begins a new round; whoever holds the partition loses it and claims it again.
local function restart(keys, args)
  redis.call('DEL', keys[1])
  return redis.call('HSET', keys[1], 'topic', args[1], 'epoch', args[2], 'offset', '0', 'state', 'rebuilding',
    'seen_at', args[2])
end

-- KEYS hash, marker; ARGV holder, prefix, customer, epoch, revision, as of (ms), expires at (ms; 0: never, -1: it has),
-- and two lists in msgpack, which costs a fifth of an argument each: places with their scores, fields with their values.
-- -> WRITTEN, REPEATED, STALE or LOST
-- Of two profiles the one with the later `as_of` is newer, then the one with the higher revision. Within one life of a
-- customer both rise together; after an erasure the revision begins anew, and only `as_of` goes on.
local function put(keys, args)
  if not held(keys[2], args[1]) then return LOST end
  local was = redis.call('HMGET', keys[1], 'revision', '_as_of', '_in')
  local revision, as_of = tonumber(args[5]), tonumber(args[6])
  local old_revision, old_as_of = tonumber(was[1] or -1), tonumber(was[2] or -1)
  if as_of < old_as_of or (as_of == old_as_of and revision < old_revision) then return STALE end
  if args[7] == '-1' then return remove(keys[1], args[2], args[3]) == 1 and WRITTEN or REPEATED end
  local left, placed, places = lines(was[3]), cmsgpack.unpack(args[8]), {}
  for at = 1, #placed, 2 do
    redis.call('ZADD', args[2] .. placed[at], placed[at + 1], args[3])
    left[placed[at]] = nil
    places[#places + 1] = placed[at]
  end
  for place in pairs(left) do redis.call('ZREM', args[2] .. place, args[3]) end
  redis.call('DEL', keys[1])
  redis.call('HSET', keys[1], '_epoch', args[4], '_as_of', args[6], '_in', table.concat(places, '\n'),
    unpack(cmsgpack.unpack(args[9])))
  if args[7] ~= '0' then redis.call('PEXPIREAT', keys[1], args[7]) end
  return as_of == old_as_of and revision == old_revision and REPEATED or WRITTEN
end

-- KEYS hash, marker; ARGV holder, prefix, customer, epoch to spare (empty: none).  -> how many hashes went, or LOST
local function erase(keys, args)
  if not held(keys[2], args[1]) then return LOST end
  if args[4] ~= '' and redis.call('HGET', keys[1], '_epoch') == args[4] then return 0 end
  return remove(keys[1], args[2], args[3])
end

-- KEYS hash, index; ARGV place, customer.  Takes a customer out of an index that its hash does not name.
local function unlist(keys, args)
  if lines(redis.call('HGET', keys[1], '_in') or nil)[args[1]] then return 0 end
  return redis.call('ZREM', keys[2], args[2])
end

-- What only removes, or only moves a marker, also runs when memory is full.
redis.register_function{function_name='tierstream_1_claim', callback=claim}
redis.register_function{function_name='tierstream_1_put', callback=put}
redis.register_function{function_name='tierstream_1_restart', callback=restart, flags={'allow-oom'}}
redis.register_function{function_name='tierstream_1_advance', callback=advance, flags={'allow-oom'}}
redis.register_function{function_name='tierstream_1_erase', callback=erase, flags={'allow-oom'}}
redis.register_function{function_name='tierstream_1_unlist', callback=unlist, flags={'allow-oom'}}
