using System.Collections.Frozen;

namespace Lingotto.Text;

/// <summary>The small words that every text of a language is full of. A bit of a mask for each language that has the word.</summary>
internal static class FunctionWords
{
    /// <summary>The languages of the bits, from bit 0 on.</summary>
    public static readonly string[] Languages = ["en", "it", "fr", "de", "es", "pt"];

    /// <summary>The longest word, in UTF-16 units.</summary>
    public const int Longest = 8;

    private static readonly string[] s_words =
    [
        "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all "
        + "her she there would their we him been has when who will no more if out so up what its about than into them can only other time "
        + "may these then do any my your should must some such how each use used also between where while does",
        "il lo la i gli le un uno una di a da in con su per tra fra e o ma che non si come del dello della dei degli delle al allo alla ai "
        + "agli alle dal dalla dai nel nello nella nei nelle sul sulla sono \u00e8 essere ha hanno questo questa questi quello quella "
            + "pi\u00f9 "
        + "anche se quando cui loro suo sua suoi sue viene stato stata pu\u00f2 ogni dopo prima senza tutti tutto ed ad perch\u00e9 poi "
        + "cos\u00ec solo molto dove chi ci ne io mi ti era erano fu c'\u00e8",
        "le la les un une des de du au aux et ou mais que qui ne pas se ce cette ces dans en pour par sur avec sans sous est sont "
            + "\u00eatre "
        + "a ont il elle ils elles nous vous je son sa ses leur leurs plus comme si tout tous \u00e9t\u00e9 fait peut o\u00f9 dont",
        "der die das den dem des ein eine einen einem einer und oder aber nicht ist sind war wird werden zu zum zur mit von vom f\u00fcr "
            + "auf "
        + "aus bei nach \u00fcber unter durch als auch wie wenn dass sich sie er es wir ich ihr sein seine haben hat kann nur noch im am "
            + "an",
        "el la los las un una unos unas de del al a en con por para sin sobre entre y o pero que no se es son ser est\u00e1 ha han este "
            + "esta "
        + "estos estas ese m\u00e1s como si cuando su sus lo le les muy tambi\u00e9n fue era hay ya porque todo todos donde",
        "o a os as um uma uns umas de do da dos das ao aos em no na nos nas com por para sem sobre e ou mas que n\u00e3o se \u00e9 "
            + "s\u00e3o ser "
        + "est\u00e1 foi tem este esta isso mais como quando seu sua seus suas muito tamb\u00e9m pelo pela ele ela j\u00e1 at\u00e9 entre",
    ];

    private static readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> s_masks = BuildMasks();

    /// <summary>The languages that have a lower-case word; 0 for most words.</summary>
    public static int LanguagesOf(ReadOnlySpan<char> word) => s_masks.TryGetValue(word, out int mask) ? mask : 0;

    private static FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> BuildMasks()
    {
        var masks = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int language = 0; language < s_words.Length; language++)
        {
            foreach (string word in s_words[language].Split(' '))
            {
                masks[word] = masks.GetValueOrDefault(word) | (1 << language);
            }
        }

        return masks.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
