! SPDX-License-Identifier: MIT
!> From command line and keyfile to settings: every value checked, every contradiction refused.
module fennix_interpret
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_strings, only : append, join, lower, nearest_word, string_type, to_real
   use fennix_settings, only : job_dynamic, job_help, job_keywords, job_minimize, job_rerun, job_version, settings_type
   use fennix_arguments, only : arguments_type, positional_keyword
   use fennix_keyfile, only : entry_type, last_entry, parse_keyfile
   use fennix_keywords, only : canonical_name, find_keyword, keyword_names, keyword_table, keyword_type
   use fennix_tinker_keywords, only : is_meaningless, refusal_of
   use fennix_locate, only : locate_files
   use fennix_prompt, only : ask, is_terminal
   use fennix_values, only : is_given
   use fennix_sections, only : read_box, read_dynamics, read_elements, read_harvest, read_minimize, read_models, &
      & read_output, read_parallel, read_run
   use fennix_text_file, only : read_text
   implicit none
   private
   public :: read_settings

contains


!> Settings of a run. Nothing slow happens here: a missing structure or keyword is told at once.
subroutine read_settings(self, arguments, error, key_text)
   type(settings_type), intent(out) :: self
   type(arguments_type), intent(in) :: arguments
   type(error_type), allocatable, intent(out) :: error
   !> Keywords in memory, one in a line: no keyfile is read, and messages call it "keywords"
   character(len=*), intent(in), optional :: key_text
   type(entry_type), allocatable :: entries(:)

   call blank_settings(self)
   self%job = arguments%job
   self%resume = arguments%resume
   self%embedded = arguments%embedded
   if (any(self%job == [job_help, job_keywords, job_version])) return
   call locate_files(self, arguments, present(key_text), error)
   if (allocated(error)) return
   call load_entries(self, arguments, entries, error, key_text)
   if (allocated(error)) return
   call ask_for_missing(self, arguments, entries, error)
   if (allocated(error)) return
   call read_sections(self, entries, error)
end subroutine read_settings


!> Texts of the settings that have no other default
subroutine blank_settings(self)
   type(settings_type), intent(inout) :: self

   self%name = ""
   self%structure_file = ""
   self%key_file = ""
   self%key_text = ""
   self%rerun_file = ""
   self%ignored_keywords = ""
   allocate(self%notes(0))
   self%integrator = ""
   self%ensemble = ""
   self%model_accurate = ""
   self%model_fast = ""
   self%device = "auto"
   self%precision = "float32"
   self%halo = "auto"
   self%place_decomposition = ""
   self%box_origin = ""
   allocate(self%element_name(0), self%element_number(0))
end subroutine blank_settings


!> Keywords of the keyfile, then those of the command line, which go before them
subroutine load_entries(self, arguments, entries, error, key_text)
   type(settings_type), intent(inout) :: self
   type(arguments_type), intent(in) :: arguments
   type(entry_type), allocatable, intent(out) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   character(len=*), intent(in), optional :: key_text
   type(entry_type) :: entry
   integer :: i

   if (present(key_text)) then
      self%key_text = key_text
      call parse_keyfile(entries, key_text, "keywords", error)
   else if (len(self%key_file) > 0) then
      call read_text(self%key_file, self%key_text, error)
      if (allocated(error)) return
      call parse_keyfile(entries, self%key_text, self%key_file, error)
   else
      allocate(entries(0))
   end if
   if (allocated(error)) return
   call check_keywords(self, entries, error)
   if (allocated(error)) return
   entry%place = "command line"
   do i = 1, size(arguments%value)
      entry%keyword = positional_keyword(i)
      entry%value = [arguments%value(i)]
      entries = [entries, entry]
   end do
   if (arguments%verbose) then
      entry%keyword = "verbose"
      entry%value = [string_type :: ]
      entries = [entries, entry]
   end if
end subroutine load_entries


!> Every keyword is ours, or Tinker's without meaning here, or an error
subroutine check_keywords(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(inout) :: entries(:)
   type(error_type), allocatable, intent(out) :: error
   type(keyword_type), allocatable :: table(:)
   type(string_type), allocatable :: ignored(:)
   integer :: k
   logical :: after_ignored

   allocate(table, source=keyword_table())
   allocate(ignored(0))
   after_ignored = .false.
   do k = 1, size(entries)
      entries(k)%keyword = canonical_name(entries(k)%keyword)
      if (find_keyword(table, entries(k)%keyword) > 0) then
         after_ignored = .false.
         call note_repetition(self, entries(:k))
      else if (means_nothing(entries(k), after_ignored)) then
         after_ignored = .true.
         call add_once(ignored, entries(k)%keyword)
      else
         call refuse_keyword(entries(k), error)
         return
      end if
   end do
   if (size(ignored) == 0) return
   self%ignored_keywords = self%key_file // ": these keywords of Tinker have no effect on a run with neural " // &
      & "networks alone and are ignored: " // join(ignored, ", ")
   if (len(self%key_file) == 0) self%ignored_keywords = "keywords" // self%ignored_keywords
end subroutine check_keywords


!> A keyword of Tinker's without effect here; bare numbers after one continue it (multipole parameters)
function means_nothing(entry, after_ignored)
   type(entry_type), intent(in) :: entry
   logical, intent(in) :: after_ignored
   logical :: means_nothing
   logical :: is_number
   real(dp) :: value

   call to_real(entry%keyword, value, is_number)
   means_nothing = is_number .and. after_ignored
   if (len(refusal_of(entry%keyword)) > 0) return
   if (is_meaningless(entry%keyword)) means_nothing = .true.
   if (entry%keyword == "mlpot") means_nothing = lower(join(entry%value, " ")) == "only"
end function means_nothing


!> One sentence for a keyword that is not there
subroutine refuse_keyword(entry, error)
   type(entry_type), intent(in) :: entry
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: reason, close_one

   reason = refusal_of(entry%keyword)
   if (entry%keyword == "mlpot") reason = "there is no force field here; only 'mlpot only' is possible"
   if (len(reason) > 0) then
      call fatal_error(error, entry%place // ": keyword '" // entry%keyword // "': " // reason)
      return
   end if
   close_one = nearest_word(entry%keyword, keyword_names())
   if (len(close_one) > 0) then
      call fatal_error(error, entry%place // ": unknown keyword '" // entry%keyword // "', did you mean '" // &
         & close_one // "'?")
   else
      call fatal_error(error, entry%place // ": unknown keyword '" // entry%keyword // &
         & "'; fennix-dynamic --keywords lists all there are")
   end if
end subroutine refuse_keyword


!> The last one of a repeated keyword wins, which is worth one note
subroutine note_repetition(self, entries)
   type(settings_type), intent(inout) :: self
   !> Up to the entry in question
   type(entry_type), intent(in) :: entries(:)
   character(len=:), allocatable :: keyword
   integer :: before, n

   n = size(entries)
   keyword = entries(n)%keyword
   before = last_entry(entries(:n - 1), keyword)
   if (before == 0 .or. keyword == "element") return
   call append(self%notes, entries(n)%place // ": keyword '" // keyword // "' was given before (" // &
      & entries(before)%place // "); the last one holds.")
end subroutine note_repetition


subroutine add_once(list, word)
   type(string_type), allocatable, intent(inout) :: list(:)
   character(len=*), intent(in) :: word
   integer :: k
   real(dp) :: value
   logical :: is_number

   call to_real(word, value, is_number)
   if (is_number) return
   do k = 1, size(list)
      if (list(k)%text == word) return
   end do
   call append(list, word)
end subroutine add_once


!> The number of steps must be known; on a terminal it is asked for, as in Tinker
subroutine ask_for_missing(self, arguments, entries, error)
   type(settings_type), intent(in) :: self
   type(arguments_type), intent(in) :: arguments
   type(entry_type), allocatable, intent(inout) :: entries(:)
   type(error_type), allocatable, intent(out) :: error

   if (self%job /= job_dynamic .or. arguments%embedded .or. is_given(entries, "steps")) return
   if (is_terminal()) then
      call ask(entries, " Enter the Number of Dynamics Steps to be Taken :  ", "steps", error)
      if (.not. (allocated(error) .or. is_given(entries, "timestep"))) then
         call ask(entries, " Enter the Time Step Length in Femtoseconds [1.0] :  ", "timestep", error)
      end if
      if (.not. (allocated(error) .or. is_given(entries, "dump"))) then
         call ask(entries, " Enter Time between Dumps in Picoseconds [0.1] :  ", "dump", error)
      end if
   end if
   if (allocated(error) .or. is_given(entries, "steps")) return
   call fatal_error(error, "command line: the number of steps is missing; give it after NAME (fennix-dynamic " // &
      & arguments%name // " 1000) or with keyword 'steps'")
end subroutine ask_for_missing


!> All settings, section by section
subroutine read_sections(self, entries, error)
   type(settings_type), intent(inout) :: self
   type(entry_type), intent(in) :: entries(:)
   type(error_type), allocatable, intent(out) :: error

   call read_models(self, entries, error)
   if (.not. allocated(error)) call read_dynamics(self, entries, error)
   if (.not. allocated(error)) call read_run(self, entries, error)
   if (.not. allocated(error)) call read_parallel(self, entries, error)
   if (.not. allocated(error)) call read_box(self, entries, error)
   if (.not. allocated(error)) call read_elements(self, entries, error)
   if (.not. allocated(error)) call read_minimize(self, entries, error)
   if (.not. allocated(error)) call read_output(self, entries, error)
   if (.not. allocated(error)) call read_harvest(self, entries, error)
   if (self%job == job_minimize) self%minimize = .true.
   if (any(self%job == [job_minimize, job_rerun])) self%n_steps = 0_i8
end subroutine read_sections

end module fennix_interpret
